// Parses a DashScope text request, with the checks of the service.
import { dashscopeErrors, Refusal } from '../../errors.ts'
import type { Forms } from '../../forms.ts'
import { goneError } from '../../models/gone.ts'
import { invalidInput } from '../../wording.ts'
import { type TextModel, textModel } from '../models.ts'
import type { TextSettings } from '../options.ts'
import type { ParsedTextRequest, RawRequest } from '../protocol.ts'

const { roleOrContent, modelNotExist } = dashscopeErrors

interface Message {
  role?: unknown
  content?: unknown
}

export function readQwenRequest(
  { headers, url, body }: RawRequest,
  settings: TextSettings,
): ParsedTextRequest {
  if (body === undefined)
    throw new Refusal(modelNotExist, 'Required body invalid, please check the request body format.')
  const { model: name, input, parameters = {} } = (body ?? {}) as Record<string, unknown>
  const model = readModel(name, settings)
  if (!url.pathname.includes(`/${model.route}/`)) throw new Refusal(dashscopeErrors.urlError)
  const messages = readMessages((input as { messages?: unknown })?.messages, model)
  const stream = headers['x-dashscope-sse'] === 'enable' ? 'sse' : 'none'
  return { model, ...messages, stream, ...readParameters(parameters, model, stream, settings.forms) }
}

function readModel(name: unknown, settings: TextSettings): TextModel {
  const gone = goneError(settings.gone, name)
  if (gone) throw new Refusal(gone)
  const model = textModel(name)
  if (model?.provider !== 'dashscope') throw new Refusal(modelNotExist)
  const target = textModel(settings.redirectedTextModels[model.name])
  return target && model.route ? { ...target, route: model.route } : model
}

// An optional system message, then alternating user and assistant messages; the last one is the user's.
function readMessages(messages: unknown, model: TextModel): { system: string; user: string } {
  if (!Array.isArray(messages) || messages.length === 0) throw new Refusal(dashscopeErrors.emptyInput)
  const roles = messages.map((message: Message | undefined) => message?.role)
  if (!/^(system,)?user(,assistant,user)*$/.test(roles.join())) throw new Refusal(roleOrContent)
  const texts = messages.map((message: Message) =>
    model.route === 'text-generation' ? readString(message) : readList(message),
  )
  if (texts.at(-1) === '') throw new Refusal(roleOrContent)
  return { system: roles[0] === 'system' ? texts[0]! : '', user: texts.at(-1)! }
}

function readString({ content }: Message): string {
  if (typeof content !== 'string') throw new Refusal(dashscopeErrors.contentNotString)
  return content
}

function readList({ content }: Message): string {
  const ok =
    Array.isArray(content) &&
    content.length > 0 &&
    content.every(part => Object.keys(part ?? {}).join() === 'text' && typeof part.text === 'string')
  if (!ok) throw new Refusal(roleOrContent)
  return content.map(part => part.text).join('')
}

type Parameters = Pick<
  ParsedTextRequest,
  'maxTokens' | 'thinks' | 'showsThoughts' | 'incremental' | 'plainForm'
>

function readParameters(
  given: unknown,
  model: TextModel,
  stream: ParsedTextRequest['stream'],
  forms: Forms,
): Parameters {
  const invalidParameter = (message: string) => new Refusal(invalidInput(message, forms))
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalidParameter('Parameters must be an object.')
  }
  const parameters = given as Record<string, unknown>
  for (const name of ['max_tokens', 'max_completion_tokens']) {
    const ok = within(parameters[name], 1, model.maxOutput) && Number.isInteger(parameters[name] ?? 1)
    if (!ok) throw invalidParameter(`Range of ${name} should be [1, ${model.maxOutput}]`)
  }
  const { temperature, top_p, result_format: format, enable_thinking: enableThinking } = parameters
  if (!within(temperature, 0, 1.999999)) throw invalidParameter('Temperature should be in [0.0, 2.0)')
  if (!within(top_p, Number.MIN_VALUE, 1)) throw invalidParameter('Range of top_p should be (0.0, 1.0]')
  if (format !== undefined && format !== 'message' && format !== 'text') {
    throw invalidParameter('The result_format parameter must be "message" or "text"')
  }
  for (const name of ['enable_thinking', 'incremental_output']) {
    if (!['boolean', 'undefined'].includes(typeof parameters[name]))
      throw invalidParameter(`${name} must be a boolean`)
  }
  const thinks = enableThinking === undefined ? model.thinks : enableThinking === true
  // Models of the newer route always answer with choices.
  const plainForm = model.route === 'text-generation' && format !== 'message'
  if (enableThinking && plainForm) {
    throw invalidParameter('The result_format parameter must be "message" when enable_thinking is true')
  }
  if (model.open && thinks && stream === 'none') {
    throw invalidParameter('parameter.enable_thinking must be set to false for non-streaming calls')
  }
  return {
    maxTokens: Number(parameters.max_completion_tokens ?? parameters.max_tokens ?? model.maxOutput),
    thinks,
    showsThoughts: thinks,
    plainForm,
    incremental: parameters.incremental_output === true,
  }
}

function within(value: unknown, min: number, max: number): boolean {
  return value === undefined || (typeof value === 'number' && value >= min && value <= max)
}
