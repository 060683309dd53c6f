// Parses a submit request, with the checks that the service makes before it creates a task.
import { dashscopeErrors, Refusal } from '../errors.ts'
import type { Forms } from '../forms.ts'
import { speechModel, type TaskModel, taskModel } from '../models/speech.ts'
import { textModel } from '../text/models.ts'
import { isObject } from '../values.ts'
import { type Guidance, readGuidance } from './guidance.ts'

const { modelNotExist } = dashscopeErrors
/** As recorded, with a link at its end. */
const urlError = {
  ...dashscopeErrors.urlError,
  message: `${dashscopeErrors.urlError.message} For details, see: https://help.aliyun.com/zh/model-studio/error-code#error-url`,
}

export interface TaskRequest {
  model: TaskModel
  /** The file; empty if there is no usable address. */
  url: string
  /** As submitted; undefined if absent. */
  parameters: Record<string, unknown> | undefined
  guidance: Guidance
  /** Why the accepted task will fail. */
  flaw?: TaskFlaw
}

interface TaskFlaw {
  code: string
  message: string
}

// Parameters of both families.
const PARAMETERS = new Set([
  ...['channel_id', 'diarization_enabled', 'speaker_count', 'language_hints', 'vocabulary_id', 'vocabulary'],
  ...['special_word_filter', 'language', 'enable_itn', 'enable_words', 'corpus', 'text', 'context'],
  ...['timestamp_alignment_enabled', 'disfluency_removal_enabled', 'audio_event_detection_enabled'],
])
const QWEN_LANGUAGES =
  'zh yue en ja de ko ru fr pt ar it es hi id th tr uk vi cs da fil fi is ms no pl sv'.split(' ')
const FUN_LANGUAGES =
  'zh en ja ko vi th id ms tl hi ar fr de es pt ru it nl sv da fi no el pl cs hu ro bg hr sk'.split(' ')

/** Throws a `Refusal` for an invalid request. */
export function readTaskRequest(
  json: Record<string, unknown>,
  options: { resolves: boolean; forms: Forms },
): TaskRequest {
  const model = taskModel(json.model)
  if (!model) throw new Refusal(isOfOtherRoute(json.model, options.forms) ? urlError : modelNotExist)
  const input = isObject(json.input) ? json.input : {}
  if (input.messages !== undefined) throw new Refusal(urlError)
  const parameters = isObject(json.parameters) ? json.parameters : undefined
  const address = readAddress(model, input, options)
  checkParameters(model, parameters ?? {})
  const guidance = readGuidance(model, input, parameters ?? {})
  const flaw = address.flaw ?? parameterFlaw(parameters, options.forms)
  return { model, url: address.url, parameters, guidance, ...(flaw && { flaw }) }
}

/** `parameters` is required, even if it is empty. */
function parameterFlaw(parameters: object | undefined, forms: Forms): TaskFlaw | undefined {
  const isKnown = (name: string) => forms.unknownParameters === 'ignored' || PARAMETERS.has(name)
  if (parameters && Object.keys(parameters).every(isKnown)) return undefined
  // The message is documented, the code is not.
  return { code: 'InvalidParameter', message: 'Invalid backend response received (missing status name)' }
}

function isOfOtherRoute(model: unknown, { wrongRoute }: Forms): boolean {
  return wrongRoute === 'urlError' && (speechModel(model) ?? textModel(model)) !== undefined
}

/** The channels to recognise; default: the first. */
export function channelsOf({ parameters }: TaskRequest): number[] {
  return (parameters?.channel_id as number[] | undefined) ?? [0]
}

/** Throws a `Refusal` for a body that is not a JSON object. */
export function parseTaskBody(body: Buffer): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(body.toString())
    if (isObject(json)) return json
  } catch {
    // Refused below, like any other value that is not an object.
  }
  throw invalid('Required body invalid, please check the request body format.')
}

/** The service accepts a task of which it cannot use the address, and fails it. */
function readAddress(
  model: TaskModel,
  input: Record<string, unknown>,
  { resolves, forms }: { resolves: boolean; forms: Forms },
): { url: string; flaw?: TaskFlaw } {
  const { url, problem } = findUrl(model, input)
  const isTold = forms.addressErrors === 'submit'
  if (problem) {
    if (isTold) throw invalid(problem)
    return { url, flaw: malformedUrl }
  }
  if (url.startsWith('oss://') && !resolves) {
    if (isTold) throw new Refusal(dashscopeErrors.inspectionDownload)
    const code = model.shape === 'single' ? 'FILE_DOWNLOAD_FAILED' : 'SERVER_ERROR'
    return { url, flaw: { code, message: code } }
  }
  const isAddress = /^(https?|oss):\/\/[^/]/.test(url) && URL.canParse(url)
  return { url, ...(!isAddress && !isTold && { flaw: malformedUrl }) }
}

const malformedUrl = { code: 'InvalidParameter.MalformedURL', message: 'A valid file URL is required' }

function findUrl(
  { shape }: TaskModel,
  { file_urls: list, file_url: single }: Record<string, unknown>,
): { url: string; problem?: string } {
  if (shape === 'single') {
    if (typeof single === 'string' && single !== '') return { url: single }
    return { url: '', problem: 'input must contain file_url' }
  }
  const [url] = Array.isArray(list) ? list : []
  if (typeof url !== 'string') return { url: '', problem: 'input must contain file_urls' }
  return (list as unknown[]).length === 1
    ? { url }
    : { url, problem: 'file_urls must contain exactly one url' }
}

function checkParameters({ shape }: TaskModel, parameters: Record<string, unknown>): void {
  const { channel_id: channels, speaker_count: count, language, language_hints: hints } = parameters
  const areChannels = Array.isArray(channels) && channels.every(id => Number.isInteger(id) && id >= 0)
  if (channels !== undefined && !areChannels) throw invalid('channel_id must be a list of integers')
  if (shape === 'single') {
    if (language === undefined || QWEN_LANGUAGES.includes(language as string)) return
    throw invalid(`Unsupported language: ${JSON.stringify(language)}`)
  }
  const isCount = Number.isInteger(count) && (count as number) >= 2 && (count as number) <= 100
  if (count !== undefined && !isCount) throw invalid('speaker_count must be an integer between 2 and 100')
  if (hints === undefined) return
  if (!Array.isArray(hints) || !FUN_LANGUAGES.includes(hints[0])) throw invalid('Unsupported language_hints')
}

function invalid(message: string): Refusal {
  return new Refusal({ status: 400, code: 'InvalidParameter', message })
}
