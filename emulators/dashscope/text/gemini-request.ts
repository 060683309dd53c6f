// What a request asks of Gemini, checked as strictly as the service checks it.
import { Refusal } from '../errors.ts'
import type { Asked, TextOrder } from './dialect.ts'
import { geminiErrors } from './gemini-errors.ts'
import { type TextModel, textModel } from './models.ts'
import type { TextSettings } from './options.ts'

/** Version, model and method. */
export const GEMINI_PATH = /^\/(v1|v1beta)\/models\/([^/:]+):(generateContent|streamGenerateContent)$/

type Fields = Record<string, unknown>

const REQUEST = [
  ...['contents', 'systemInstruction', 'generationConfig', 'safetySettings', 'tools', 'toolConfig'],
  ...['cachedContent', 'labels'],
]
const CONFIG = [
  ...['temperature', 'topP', 'topK', 'candidateCount', 'maxOutputTokens', 'stopSequences', 'seed'],
  ...['presencePenalty', 'frequencyPenalty', 'responseMimeType', 'responseSchema', 'thinkingConfig'],
]
const THINKING = ['thinkingBudget', 'thinkingLevel', 'includeThoughts']
const LEVELS = ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH']

export function readGeminiOrder({ url, body }: Asked, settings: TextSettings): TextOrder {
  const [, version = '', name = '', method = ''] = GEMINI_PATH.exec(url.pathname) ?? []
  if (body === undefined) throw wrong('Invalid JSON payload received. Expected a value.')
  const request = fields(body, REQUEST, '')
  const model = readModel(name, version, method, settings)
  const config = fields(request.generationConfig ?? {}, CONFIG, 'generation_config')
  const streams = method === 'streamGenerateContent'
  return {
    model,
    system: readSystem(request.systemInstruction),
    user: readContents(request.contents),
    maxTokens: readConfig(config, model),
    ...readThinking(config.thinkingConfig, model, settings),
    stream: !streams ? 'none' : url.searchParams.get('alt') === 'sse' ? 'sse' : 'array',
    incremental: true,
    plainForm: false,
  }
}

function readModel(name: string, version: string, method: string, settings: TextSettings): TextModel {
  const model = textModel(name)
  if (model?.provider === 'gemini' && !settings.retiredTextModels.includes(name)) {
    return textModel(settings.redirectedTextModels[name]) ?? model
  }
  throw new Refusal(
    geminiErrors.notFound,
    `models/${name} is not found for API version ${version}, or is not supported for ${method}. Call ListModels to see the list of available models and their supported methods.`,
  )
}

function readSystem(instruction: unknown): string {
  if (instruction === undefined) return ''
  return readParts(fields(instruction, ['parts', 'role'], 'system_instruction').parts, 'system_instruction')
}

function readContents(contents: unknown): string {
  if (!Array.isArray(contents) || contents.length === 0) {
    throw wrong('* GenerateContentRequest.contents: contents is not specified\n')
  }
  let user = ''
  for (const [at, content] of contents.entries()) {
    const { role, parts } = fields(content, ['parts', 'role'], `contents[${at}]`)
    if (role !== undefined && role !== 'user' && role !== 'model') {
      throw wrong('Please use a valid role: user, model.')
    }
    const text = readParts(parts, `contents[${at}]`)
    if (role !== 'model') user = text
  }
  return user
}

function readParts(parts: unknown, where: string): string {
  if (!Array.isArray(parts) || parts.length === 0) {
    throw wrong(`* GenerateContentRequest.${where}.parts: contents.parts must not be empty.\n`)
  }
  return parts
    .map((part, at) => {
      const { text } = fields(part, ['text'], `${where}.parts[${at}]`)
      if (typeof text === 'string') return text
      throw wrong(`Invalid value at '${where}.parts[${at}].text' (TYPE_STRING)`)
    })
    .join('')
}

function readConfig(config: Fields, model: TextModel): number {
  const { maxOutputTokens: most = model.maxOutput, temperature = 1, topP = 1 } = config
  if (!(typeof most === 'number' && Number.isInteger(most) && most >= 1 && most <= model.maxOutput)) {
    const range = `from 1 (inclusive) to ${model.maxOutput + 1} (exclusive)`
    throw wrong(
      `Unable to submit request because it has a maxOutputTokens value of ${most} but the supported range is ${range}.`,
    )
  }
  if (!(typeof temperature === 'number' && temperature >= 0 && temperature <= 2)) {
    throw wrong(
      '* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].\n',
    )
  }
  if (!(typeof topP === 'number' && topP >= 0 && topP <= 1)) {
    throw wrong('* GenerateContentRequest.generation_config.top_p: top_p must be in the range [0.0, 1.0].\n')
  }
  return most
}

function readThinking(given: unknown, model: TextModel, settings: TextSettings) {
  const thinking = fields(given ?? {}, THINKING, 'generation_config.thinking_config')
  const { thinkingBudget: budget, thinkingLevel: level, includeThoughts } = thinking
  if (level !== undefined && !LEVELS.includes(String(level).toUpperCase())) {
    throw wrong(`Invalid value at 'generation_config.thinking_config.thinking_level' (TYPE_ENUM), "${level}"`)
  }
  if (budget !== undefined && !Number.isInteger(budget)) {
    throw wrong("Invalid value at 'generation_config.thinking_config.thinking_budget' (TYPE_INT32)")
  }
  if (level !== undefined && model.thinking !== 'level') {
    throw wrong('Thinking level is not supported for this model.')
  }
  // Whether the newer models refuse a budget is not known.
  if (budget !== undefined && model.thinking !== 'budget' && !settings.thinkingBudgetIgnored) {
    throw wrong('Thinking budget is not supported for this model. Please use thinking level instead.')
  }
  const set = model.thinking === 'budget' ? budget && budget !== 0 : level && level !== 'MINIMAL'
  const asked = model.thinking === 'budget' ? budget : level
  const thinks = asked === undefined ? model.thinks : Boolean(set)
  return { thinks, showsThoughts: thinks && includeThoughts === true }
}

/** An object of known fields; its names in the style of Protocol Buffers are as good. */
function fields(value: unknown, known: string[], where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(`Invalid value at '${where || 'request'}' (type.googleapis.com)`)
  }
  const entries = Object.entries(value).map(([name, content]): [string, unknown] => {
    const camel = name.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase())
    if (known.includes(camel)) return [camel, content]
    const at = where ? ` at '${where}'` : ''
    throw wrong(`Invalid JSON payload received. Unknown name "${name}"${at}: Cannot find field.`)
  })
  return Object.fromEntries(entries)
}

function wrong(message: string): Refusal {
  return new Refusal(geminiErrors.invalidArgument, message)
}
