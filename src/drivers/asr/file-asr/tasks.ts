// Reads DashScope's responses about tasks: the state of one, the address of its result, and lists of tasks.
import * as z from 'zod/v4'
import { SpeechError } from '../../../domain/errors.ts'
import type { Dashscope } from '../../http/dashscope.ts'
import { endOf, failureOf, isSilence, resultUnreadable, taskCancelled, taskUnknown } from './errors.ts'

export type TaskResponse =
  | { state: 'pending' | 'running' }
  /** It is over and contains no speech. */
  | { state: 'silent'; usage: TaskUsage }
  /** The result is at `address`; `url` is the recording's. */
  | { state: 'ready'; address: string; url?: string; usage: TaskUsage }
  | { state: 'failed'; error: SpeechError }

/** The billed amount; 0 seconds if the response has none. */
export interface TaskUsage {
  seconds: number
  inputTokens?: number
  outputTokens?: number
}

const text = z.string().nullish().catch(undefined)
const count = z.number().nullish().catch(undefined)

const part = z.object({ subtask_status: text, code: text, transcription_url: text, file_url: text })
type Part = z.output<typeof part>

const outputShape = z.looseObject({ task_status: text, code: text, message: text })
type TaskUsageShape = NonNullable<z.output<typeof taskShape>['usage']>
const taskShape = z.object({
  output: outputShape.nullish(),
  code: text,
  usage: z
    .object({ duration: count, seconds: count, input_tokens: count, output_tokens: count })
    .nullish()
    .catch(undefined),
})

/** Throws `PROVIDER_FAILED` for a response that is not about a task, and for a success that names no result. */
export function readTask(json: unknown): TaskResponse {
  const task = taskShape.safeParse(json).data
  // Some documented failures lack the envelope.
  const output = task?.output ?? outputShape.safeParse(json).data
  if (!task || !output) throw unreadable()
  const parts = partsOf(output)
  // A task succeeds even when a part of it fails.
  const good = parts.find(part => part.transcription_url && part.subtask_status !== 'FAILED')
  const state = stateOf(output.task_status, good !== undefined)
  const usage = usageOf(task.usage ?? {})
  // A client saw a code in the place of the state.
  const ownCode = state === 'SUCCEEDED' || state === 'FAILED' ? undefined : state
  const over = (): TaskResponse => {
    const inMessage = (output.message?.match(/[\w.]+/g) ?? []).filter(
      word => isSilence(word) || failureOf(word),
    )
    const codes = [...parts.map(({ code }) => code), output.code, ...inMessage, task.code, ownCode]
    const known = codes.filter(code => typeof code === 'string')
    const hasFailed = state === 'FAILED' || parts.some(part => part.subtask_status === 'FAILED')
    if (!hasFailed && known.length === 0) throw resultUnreadable()
    const end = endOf(known, output.message ?? '')
    return end === 'silence' ? { state: 'silent', usage } : { state: 'failed', error: end }
  }
  switch (state) {
    case 'PENDING':
      return { state: 'pending' }
    case 'RUNNING':
    case 'SUSPENDED':
      return { state: 'running' }
    case 'CANCELED':
      return { state: 'failed', error: taskCancelled() }
    case 'UNKNOWN':
      return { state: 'failed', error: taskUnknown() }
  }
  if (good) {
    const { transcription_url: address, file_url: url } = good
    return { state: 'ready', address: address!, usage, ...(url && { url }) }
  }
  return endedState.test(state) || isSilence(state) || output.code ? over() : { state: 'running' }
}

/** Of an unknown state: the task has ended, so waiting for it would be in vain. */
const endedState = /SUCCE|FAIL|ERROR|EXPIR|TIME_?OUT|ABORT|STOP|REJECT|CANCEL/

function stateOf(told: string | null | undefined, hasResult: boolean): string {
  const state = told?.toUpperCase()
  if (!state && !hasResult) throw unreadable()
  return !state || /^(SUCCESS|COMPLETED|FINISHED|DONE)$/.test(state) ? 'SUCCEEDED' : state
}

const maxDepth = 5

/**
 * Parts of a task with what is told around them. Some are in `results`, the one of qwen3-asr in `result`, and those of
 * qwen-audio in `output.output` or `results[0].output` (recorded).
 */
function partsOf(json: object, above?: Part, depth = 0): Part[] {
  const found = Object.entries(part.parse(json)).filter(([, value]) => value)
  const own: Part = { ...above, ...Object.fromEntries(found) }
  const { results, result, output } = json as Record<string, unknown>
  const inner = depth < maxDepth ? [results, result, output].flat(maxDepth).filter(isObject) : []
  // The code of the whole is not that of each part.
  const parts = inner.flatMap(item => partsOf(item, above ? own : {}, depth + 1))
  return (above && parts.length === 0) ||
    (own.transcription_url && own.transcription_url !== above?.transcription_url)
    ? [own, ...parts]
    : parts
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function usageOf({ duration, seconds, input_tokens, output_tokens }: TaskUsageShape): TaskUsage {
  const billed = { seconds: duration ?? seconds ?? 0 }
  if (input_tokens == null && output_tokens == null) return billed
  return { ...billed, inputTokens: input_tokens ?? 0, outputTokens: output_tokens ?? 0 }
}

const pageShape = z.object({
  total_page: count,
  data: z.array(z.object({ task_id: z.string(), model_name: text, gmt_create: count })).nullish(),
})

export interface TaskPage {
  pages: number
  tasks: { id: string; model?: string; createdAt: number }[]
}

export function readTaskPage(json: unknown): TaskPage {
  const page = pageShape.safeParse(json).data
  if (!page) throw unreadable()
  const tasks = (page.data ?? []).map(({ task_id, model_name, gmt_create }) => ({
    id: task_id,
    createdAt: gmt_create ?? 0,
    ...(model_name && { model: model_name }),
  }))
  return { pages: page.total_page ?? 1, tasks }
}

/** `20261122153000`: the provider's times are those of Beijing, without a time zone. */
export function providerTime(moment: number): string {
  const ahead = 8 * 3_600_000
  return new Date(moment + ahead).toISOString().replace(/\D/g, '').slice(0, 14)
}

/**
 * The address from which a result may be fetched: object storage of Alibaba Cloud over https, an emulator on this machine,
 * or an own server itself. Undefined for any other address.
 */
export function resultAddress(
  address: string,
  { baseUrl, own }: Pick<Dashscope, 'baseUrl' | 'own'>,
): string | undefined {
  if (!URL.canParse(address)) return undefined
  const url = new URL(address)
  if (own) {
    const isSameHost = url.hostname === new URL(baseUrl).hostname
    return isSameHost && /^https?:$/.test(url.protocol) ? url.href : undefined
  }
  if (isLoopback(url.hostname))
    return isLoopback(new URL(baseUrl).hostname) && /^https?:$/.test(url.protocol) ? url.href : undefined
  // Some responses have http://, although the store supports https.
  if (url.protocol === 'http:') url.protocol = 'https:'
  const isStore = url.protocol === 'https:' && url.port === '' && /\.aliyuncs\.com$/.test(url.hostname)
  return isStore ? url.href : undefined
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host)
}

function unreadable(): SpeechError {
  return new SpeechError('PROVIDER_FAILED', 'DashScope’s response about a task has an unknown shape.', {
    hint: 'Check DASHSCOPE_BASE_URL; call again in a minute.',
    retryable: true,
  })
}
