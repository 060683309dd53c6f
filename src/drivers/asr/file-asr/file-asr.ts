// Recognition of whole files with DashScope: submits an uploaded recording as a task, and reads its result.
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import { type Model, modelKey } from '../../../domain/models/model.ts'
import { usdForUsage, usdPerSecond } from '../../../domain/models/price.ts'
import { languagesOf } from '../../../domain/models/successors.ts'
import { deadlines } from '../../../domain/network/deadlines.ts'
import type { FileRecogniser, FileRecognition, TaskStatus } from '../../../domain/ports.ts'
import type { Dashscope } from '../../http/dashscope.ts'
import { errorResponseOf } from '../../http/dashscope-errors.ts'
import { type HttpClient, hasTimedOut, type RequestBody } from '../../http/http.ts'
import { withModel } from '../model-errors.ts'
import { failureOf, resultAddressRefused, resultExpired, resultUnreadable, taskUnknown } from './errors.ts'
import { capabilitiesOf, type FileRole, requestBody } from './requests.ts'
import { readResult } from './results.ts'
import {
  providerTime,
  readTask,
  readTaskPage,
  resultAddress,
  type TaskResponse,
  type TaskUsage,
} from './tasks.ts'

const submitPath = 'services/audio/asr/transcription'
/** The provider's list of tasks goes back one day. */
const dayMs = 86_400_000
const maxPages = 40
const pageSize = 50
const deadline = deadlines.task

export interface FileAsrOptions {
  cloud: Dashscope
  /** Fetches the result files, which are on another host. */
  http: Pick<HttpClient, 'fetchText'>
  model: Model
  role: FileRole
}

/**
 * The provider has no idempotency key, so a submit that may have made a task fails with `SUBMIT_UNCLEAR`. Throws the errors
 * of the port, and `UPLOAD_UNREACHABLE` when the provider checks the address of the recording at once.
 */
export function fileAsr({ cloud, http, model, role }: FileAsrOptions): FileRecogniser {
  const price = usdPerSecond(model)
  const named = <E>(error: E) =>
    withModel(
      error,
      role === 'speakers'
        ? { name: model.name, setting: 'SPEAKER_MODEL', example: 'fun-asr' }
        : { name: model.name, setting: 'FILE_MODEL', example: 'qwen3-asr-flash-filetrans' },
    )

  async function submit(...[request, signal]: Parameters<FileRecogniser['submit']>): Promise<string> {
    const tracked = trackedBody({ model: model.name, ...requestBody(model, role, request) })
    const headers = {
      'x-dashscope-async': 'enable',
      ...(request.url.startsWith('oss://') && { 'x-dashscope-ossresourceresolve': 'enable' }),
    }
    try {
      const json = await cloud.call(
        { method: 'POST', path: submitPath, headers, body: tracked.body, deadline },
        signal,
      )
      return taskOf(json)
    } catch (error) {
      throw named(submitError(error, tracked.isSent(), signal))
    }
  }

  /** A response without usage has no cost here: it is estimated from the length of the recording. */
  function billed(usage: TaskUsage): TaskUsage & { costUsd?: number } {
    const isReported = usage.seconds > 0 || usage.inputTokens !== undefined
    const costUsd = isReported ? usdForUsage(model, usage) : undefined
    return { ...usage, ...(costUsd !== undefined && { costUsd }) }
  }

  async function fetchResult(
    { address, url, usage }: Extract<TaskResponse, { state: 'ready' }>,
    signal: AbortSignal,
  ): Promise<TaskStatus> {
    const resultUrl = resultAddress(address, cloud)
    if (!resultUrl) throw resultAddressRefused()
    const request = { url: resultUrl, deadline: deadlines.result, signal, ...cloud.own }
    const { status, text, retryAfterSeconds } = await http.fetchText(request)
    if (isGone(status, text)) return { state: 'failed', error: resultExpired() }
    if (status !== 200) throw fetchError(status, retryAfterSeconds)
    const result = await readResult(parse(text), usage.seconds)
    if (!result) throw resultUnreadable()
    const recognisedUrl = url ?? result.url
    return done({
      sentences: result.sentences,
      ...billed(usage),
      ...(recognisedUrl && { url: recognisedUrl }),
    })
  }

  async function listTasks(from: number, to: number, signal: AbortSignal): Promise<string[]> {
    if (cloud.own) return []
    const query = {
      start_time: providerTime(Math.max(from, to - dayMs)),
      end_time: providerTime(to + 999),
      model_name: model.name,
      page_size: String(pageSize),
    }
    const found = new Map<string, number>()
    for (let page = 1, pages = 1; page <= Math.min(pages, maxPages); page++) {
      const json = await cloud.call(
        { method: 'GET', path: 'tasks/', query: { ...query, page_no: String(page) }, deadline },
        signal,
      )
      const answer = readTaskPage(json)
      pages = answer.pages
      for (const task of answer.tasks)
        if (task.model === undefined || task.model === model.name) found.set(task.id, task.createdAt)
    }
    return [...found].sort(([, one], [, other]) => other - one).map(([id]) => id)
  }

  return {
    model: model.name,
    key: modelKey(model.name, cloud.baseUrl),
    limits: {
      maxSeconds: model.maxSeconds ?? Number.POSITIVE_INFINITY,
      maxBytes: model.maxBytes ?? Number.POSITIVE_INFINITY,
    },
    capabilities: capabilitiesOf(model, role),
    takes: model,
    ...languagesOf(model),
    ...(price !== undefined && { usdPerSecond: price }),
    submit,
    async status(task, signal) {
      const json = await cloud
        .call({ method: 'GET', path: taskPath(task), deadline }, signal)
        .catch(error => {
          // An own server forgets its tasks when it restarts.
          if (errorResponseOf(error)?.code !== 'UNKNOWN_TASK') throw error
        })
      if (json === undefined) return { state: 'failed', error: taskUnknown() }
      const answer = readTask(json)
      if (answer.state === 'silent') return done({ sentences: [], ...billed(answer.usage) })
      if (answer.state === 'failed')
        return { state: 'failed', error: cloud.own ? ownServerError(answer.error) : named(answer.error) }
      return answer.state === 'ready' ? fetchResult(answer, signal) : answer
    },
    async now(signal) {
      // Any response tells the time; the shortest is an empty list.
      if (cloud.clockAheadMs() === undefined)
        await listTasks(Date.now(), Date.now(), signal).catch(() => signal.throwIfAborted())
      return Date.now() + (cloud.clockAheadMs() ?? 0)
    },
    listTasks,
    async cancel(task, signal) {
      if (cloud.own) return
      try {
        await cloud.call({ method: 'POST', path: `${taskPath(task)}/cancel`, deadline }, signal)
      } catch (error) {
        // The task has started or has ended.
        if (errorResponseOf(error)?.code !== 'UnsupportedOperation') throw error
      }
    },
  }
}

/** An own server has codes of its own, and its usual problem is the way to the recording. */
function ownServerError({ code, message, retryable, cause }: SpeechError): SpeechError {
  const isKnown = code !== 'UPLOAD_UNREACHABLE' && code !== 'TASK_FAILED'
  return new SpeechError(code, message, {
    hint: isKnown
      ? 'See the log of the server in DASHSCOPE_BASE_URL.'
      : 'See the log of the server in DASHSCOPE_BASE_URL. It must be allowed to fetch from private addresses, and reach SPEECH_FILE_HOST.',
    retryable,
    cause,
  })
}

function taskPath(task: string): string {
  return `tasks/${encodeURIComponent(task)}`
}

function done(recognition: FileRecognition): TaskStatus {
  return { state: 'done', recognition }
}

/** A body that knows whether it was read. It is read once the connection is open; a body that was not read was not sent. */
function trackedBody(value: unknown): { body: RequestBody; isSent(): boolean } {
  const json = Buffer.from(JSON.stringify(value))
  let sent = false
  const body: RequestBody = {
    byteLength: json.length,
    *chunks() {
      sent = true
      yield json
    },
  }
  return { body, isSent: () => sent }
}

function taskOf(json: unknown): string {
  const task = (json as { output?: { task_id?: unknown } | null } | null)?.output?.task_id
  if (typeof task !== 'string' || task === '') throw unclear()
  return task
}

/** The error of a failed submit: it may have made a task, has made none for certain, or was cancelled. */
function submitError(error: unknown, isSent: boolean, signal: AbortSignal): unknown {
  if (signal.aborted && error === signal.reason) return hasTimedOut(signal) ? late(isSent, error) : error
  if (!isSpeechError(error)) return error
  const answer = errorResponseOf(error)
  if (!answer) return isSent ? unclear(error) : error
  const isSilent = answer.code === '' || /time_?out/i.test(answer.code)
  if (answer.status === 200 || (answer.status >= 500 && isSilent)) return unclear(error)
  return failureOf(error.code === 'CONTENT_REFUSED' ? 'DataInspectionFailed' : answer.code) ?? error
}

function late(isSent: boolean, cause: unknown): SpeechError {
  if (isSent) return unclear(cause)
  return new SpeechError('PROVIDER_TIMEOUT', 'DashScope could not be reached in time.', {
    hint: 'The provider or the network is slow; call again.',
    retryable: true,
    cause,
  })
}

function unclear(cause?: unknown): SpeechError {
  return new SpeechError('SUBMIT_UNCLEAR', 'DashScope’s response to the request was lost.', {
    hint: 'Call again: a task that was made nevertheless is looked up before another one is paid for.',
    ...(cause !== undefined && { cause }),
  })
}

/** True where the store itself says that the file is gone; the refusal of a proxy does not count. */
function isGone(status: number, text: string): boolean {
  return (
    (status === 403 || status === 404) && /<Code>(AccessDenied|NoSuchKey|NoSuchBucket)<\/Code>/.test(text)
  )
}

function fetchError(status: number, retryAfter: number | undefined): SpeechError {
  const retryable = status >= 500 || status === 408 || status === 429
  return new SpeechError(
    retryable ? 'PROVIDER_FAILED' : 'PROVIDER_REFUSED',
    `The result of the task could not be fetched (${status}).`,
    {
      hint: retryable
        ? 'This usually passes; call again in a minute.'
        : 'Check that a proxy or firewall lets *.aliyuncs.com through; then call again.',
      retryable,
      cause: { retryAfter },
    },
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SpeechError('PROVIDER_FAILED', 'The result of the task arrived incomplete.', {
      hint: 'This usually passes; call again in a minute.',
      retryable: true,
    })
  }
}
