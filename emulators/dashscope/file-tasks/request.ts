// Parses a submit request, with the checks that the service makes before it creates a task.
import { dashscopeErrors, Refusal } from '../errors.ts'
import { type TaskModel, taskModel } from '../models/speech.ts'

export interface TaskRequest {
  model: TaskModel
  url: string
  /** As submitted; undefined if absent. */
  parameters: Record<string, unknown> | undefined
  /** `oss://` URLs may be resolved. */
  resolves: boolean
}

// Parameters of both families: those of the other family are ignored, an unknown name fails the task.
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
export function readTaskRequest(json: Record<string, unknown>, resolves: boolean): TaskRequest {
  const model = taskModel(json.model)
  if (!model) throw new Refusal(dashscopeErrors.modelNotExist)
  const url = readUrl(model, json.input)
  if (url.startsWith('oss://') && !resolves) throw new Refusal(dashscopeErrors.inspectionDownload)
  const parameters = isObject(json.parameters) ? json.parameters : undefined
  checkParameters(model, parameters ?? {})
  return { model, url, parameters, resolves }
}

/** A task with unknown parameters is created, and fails. */
export function hasUsableParameters({ parameters }: TaskRequest): boolean {
  return parameters !== undefined && Object.keys(parameters).every(name => PARAMETERS.has(name))
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

function readUrl({ shape }: TaskModel, input: unknown): string {
  const { file_urls: list, file_url: single } = isObject(input) ? input : {}
  if (shape === 'single') {
    // The refusal is documented, the wording is not.
    if (typeof single !== 'string' || single === '') throw invalid('input must contain file_url')
    return single
  }
  if (!Array.isArray(list) || list.length === 0) throw invalid('input must contain file_urls')
  if (list.length > 1) throw invalid('file_urls must contain exactly one url')
  if (typeof list[0] !== 'string') throw invalid('input must contain file_urls')
  return list[0]
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
