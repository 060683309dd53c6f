// Parses a Gemini request, with the checks of the service.
import { Refusal } from '../../errors.ts'
import { type TextModel, textModel } from '../models.ts'
import type { TextSettings } from '../options.ts'
import type { ParsedTextRequest, RawRequest } from '../protocol.ts'
import { geminiErrors } from './errors.ts'

/** Version, model and method. */
export const GEMINI_PATH = /^\/(v1|v1beta)\/models\/([^/:]+):(generateContent|streamGenerateContent)$/

type Fields = Record<string, unknown>

const requestFields = [
  ...['contents', 'systemInstruction', 'generationConfig', 'safetySettings', 'tools', 'toolConfig'],
  ...['cachedContent', 'labels'],
]
const configFields = [
  ...['temperature', 'topP', 'topK', 'candidateCount', 'maxOutputTokens', 'stopSequences', 'seed'],
  ...['presencePenalty', 'frequencyPenalty', 'responseMimeType', 'responseSchema', 'thinkingConfig'],
]
const thinkingFields = ['thinkingBudget', 'thinkingLevel', 'includeThoughts']
const thinkingLevels = ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH']

export function readGeminiRequest({ url, body }: RawRequest, settings: TextSettings): ParsedTextRequest {
  const [, version = '', name = '', method = ''] = GEMINI_PATH.exec(url.pathname) ?? []
  if (body === undefined) throw invalidArgument('Invalid JSON payload received. Expected a value.')
  const request = fields(body, requestFields, '')
  const model = readModel(name, version, method, settings)
  const config = fields(request.generationConfig ?? {}, configFields, 'generation_config')
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
  const { goneModels, geminiGoneForm } = settings.gone
  const isGone = goneModels.includes(name)
  const model = textModel(name)
  if (model?.provider === 'gemini' && !isGone) return textModel(settings.redirectedTextModels[name]) ?? model
  if (isGone && geminiGoneForm === 'newUsers') {
    throw new Refusal(
      geminiErrors.notFound,
      `This model models/${name} is no longer available to new users. Please update your code to use a newer model for the latest features and improvements.`,
    )
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
    throw invalidArgument('* GenerateContentRequest.contents: contents is not specified\n')
  }
  let user = ''
  for (const [at, content] of contents.entries()) {
    const { role, parts } = fields(content, ['parts', 'role'], `contents[${at}]`)
    if (role !== undefined && role !== 'user' && role !== 'model') {
      throw invalidArgument('Please use a valid role: user, model.')
    }
    const text = readParts(parts, `contents[${at}]`)
    if (role !== 'model') user = text
  }
  return user
}

function readParts(parts: unknown, where: string): string {
  if (!Array.isArray(parts) || parts.length === 0) {
    throw invalidArgument(`* GenerateContentRequest.${where}.parts: contents.parts must not be empty.\n`)
  }
  return parts
    .map((part, at) => {
      const { text } = fields(part, ['text'], `${where}.parts[${at}]`)
      if (typeof text === 'string') return text
      throw invalidArgument(`Invalid value at '${where}.parts[${at}].text' (TYPE_STRING)`)
    })
    .join('')
}

function readConfig(config: Fields, model: TextModel): number {
  const { maxOutputTokens: maxTokens = model.maxOutput, temperature = 1, topP = 1 } = config
  if (
    !(
      typeof maxTokens === 'number' &&
      Number.isInteger(maxTokens) &&
      maxTokens >= 1 &&
      maxTokens <= model.maxOutput
    )
  ) {
    const range = `from 1 (inclusive) to ${model.maxOutput + 1} (exclusive)`
    throw invalidArgument(
      `Unable to submit request because it has a maxOutputTokens value of ${maxTokens} but the supported range is ${range}.`,
    )
  }
  if (!(typeof temperature === 'number' && temperature >= 0 && temperature <= 2)) {
    throw invalidArgument(
      '* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].\n',
    )
  }
  if (!(typeof topP === 'number' && topP >= 0 && topP <= 1)) {
    throw invalidArgument(
      '* GenerateContentRequest.generation_config.top_p: top_p must be in the range [0.0, 1.0].\n',
    )
  }
  return maxTokens
}

function readThinking(given: unknown, model: TextModel, settings: TextSettings) {
  const thinking = fields(given ?? {}, thinkingFields, 'generation_config.thinking_config')
  const { thinkingBudget: budget, thinkingLevel: level, includeThoughts } = thinking
  if (level !== undefined && !thinkingLevels.includes(String(level).toUpperCase())) {
    throw invalidArgument(
      `Invalid value at 'generation_config.thinking_config.thinking_level' (TYPE_ENUM), "${level}"`,
    )
  }
  if (budget !== undefined && !Number.isInteger(budget)) {
    throw invalidArgument("Invalid value at 'generation_config.thinking_config.thinking_budget' (TYPE_INT32)")
  }
  if (level !== undefined && model.thinking !== 'level') {
    throw invalidArgument('Thinking level is not supported for this model.')
  }
  // It is undocumented whether newer models refuse a budget.
  if (budget !== undefined && model.thinking !== 'budget' && !settings.thinkingBudgetIgnored) {
    throw invalidArgument(
      'Thinking budget is not supported for this model. Please use thinking level instead.',
    )
  }
  const set = model.thinking === 'budget' ? budget && budget !== 0 : level && level !== 'MINIMAL'
  const thinkingSetting = model.thinking === 'budget' ? budget : level
  const thinks = thinkingSetting === undefined ? model.thinks : Boolean(set)
  return { thinks, showsThoughts: thinks && includeThoughts === true }
}

/** An object of known fields; snake_case names are accepted too. */
function fields(value: unknown, known: string[], where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument(`Invalid value at '${where || 'request'}' (type.googleapis.com)`)
  }
  const entries = Object.entries(value).map(([name, content]): [string, unknown] => {
    const camel = name.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase())
    if (known.includes(camel)) return [camel, content]
    const at = where ? ` at '${where}'` : ''
    throw invalidArgument(`Invalid JSON payload received. Unknown name "${name}"${at}: Cannot find field.`)
  })
  return Object.fromEntries(entries)
}

function invalidArgument(message: string): Refusal {
  return new Refusal(geminiErrors.invalidArgument, message)
}
