// DashScope's file transcription over REST: an uploaded recording in, a task out, and its sentences when it is done.
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import type { FileRecogniser, FileRecognition, TaskStatus } from '../../../domain/ports.ts'
import { usdPerSecond } from '../../../domain/prices.ts'
import { type Dashscope, errorResponseOf } from '../../http/dashscope.ts'
import { type HttpClient, hasTimedOut, type RequestBody } from '../../http/http.ts'
import { failureOf, resultElsewhere, resultExpired, resultUnreadable } from './errors.ts'
import { type FileRole, fileLimits, fileModel } from './models.ts'
import { readResult } from './results.ts'
import { providerTime, readTask, readTaskPage, resultAddress, type TaskAnswer } from './tasks.ts'

const submitPath = 'services/audio/asr/transcription'
/** The list of tasks goes back a day; more than so many pages nobody reads. */
const day = 86_400_000
const mostPages = 40
const pageSize = 50

export interface FileAsrOptions {
  cloud: Dashscope
  /** For the result files, which lie elsewhere. */
  http: Pick<HttpClient, 'fetchText'>
  model: string
  role: FileRole
}

/**
 * Submits are not repeated here, as the provider knows no key that makes two of them one. Throws `SpeechError`: beside
 * those of the port `UPLOAD_UNREACHABLE` where the provider looks at the address at once.
 */
export function fileAsr({ cloud, http, model, role }: FileAsrOptions): FileRecogniser {
  const { capabilities, body } = fileModel(model, role)
  const price = usdPerSecond(model)

  async function submit(...[request, signal]: Parameters<FileRecogniser['submit']>): Promise<string> {
    const letter = writeLetter({ model, ...body(request) })
    const headers = {
      'x-dashscope-async': 'enable',
      ...(request.url.startsWith('oss://') && { 'x-dashscope-ossresourceresolve': 'enable' }),
    }
    try {
      const json = await cloud.call({ method: 'POST', path: submitPath, headers, body: letter.body }, signal)
      return taskOf(json)
    } catch (error) {
      throw submitError(error, { isSent: letter.isSent(), signal, role })
    }
  }

  async function fetchResult(
    { address, url, seconds }: Extract<TaskAnswer, { state: 'ready' }>,
    signal: AbortSignal,
  ): Promise<TaskStatus> {
    const place = resultAddress(address, cloud.baseUrl)
    if (!place) return { state: 'failed', error: resultElsewhere() }
    const { status, text } = await http.fetchText({ url: place, signal })
    if (isGone(status, text)) return { state: 'failed', error: resultExpired() }
    if (status !== 200) throw fetchError(status)
    const result = readResult(parse(text), seconds)
    if (!result) return { state: 'failed', error: resultUnreadable() }
    const heard = url ?? result.url
    return done({ sentences: result.sentences, seconds, ...(heard && { url: heard }) })
  }

  return {
    model,
    limits: fileLimits,
    capabilities,
    ...(price !== undefined && { usdPerSecond: price }),
    submit,
    async status(task, signal) {
      const answer = readTask(await cloud.call({ method: 'GET', path: taskPath(task) }, signal))
      if (answer.state === 'silent') return done({ sentences: [], seconds: answer.seconds })
      return answer.state === 'ready' ? fetchResult(answer, signal) : answer
    },
    async listTasks(from, to, signal) {
      const query = {
        start_time: providerTime(Math.max(from, to - day)),
        end_time: providerTime(to + 999),
        model_name: model,
        page_size: String(pageSize),
      }
      const found = new Map<string, number>()
      for (let page = 1, pages = 1; page <= Math.min(pages, mostPages); page++) {
        const json = await cloud.call(
          { method: 'GET', path: 'tasks/', query: { ...query, page_no: String(page) } },
          signal,
        )
        const answer = readTaskPage(json)
        pages = answer.pages
        for (const task of answer.tasks)
          if (task.model === undefined || task.model === model) found.set(task.id, task.createdAt)
      }
      return [...found].sort(([, one], [, other]) => other - one).map(([id]) => id)
    },
    async cancel(task, signal) {
      try {
        await cloud.call({ method: 'POST', path: `${taskPath(task)}/cancel` }, signal)
      } catch (error) {
        // It has begun, or is over.
        if (errorResponseOf(error)?.code !== 'UnsupportedOperation') throw error
      }
    },
  }
}

function taskPath(task: string): string {
  return `tasks/${encodeURIComponent(task)}`
}

function done(recognition: FileRecognition): TaskStatus {
  return { state: 'done', recognition }
}

/** A body that knows whether it was read, which happens when the connection stands: what was not read has not gone out. */
function writeLetter(value: unknown): { body: RequestBody; isSent(): boolean } {
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

interface Circumstances {
  isSent: boolean
  signal: AbortSignal
  role: FileRole
}

/** What a submit that failed means: it may have made a task, has surely made none, or was called off. */
function submitError(error: unknown, { isSent, signal, role }: Circumstances): unknown {
  if (signal.aborted && error === signal.reason) return hasTimedOut(signal) ? late(isSent, error) : error
  if (!isSpeechError(error)) return error
  const answer = errorResponseOf(error)
  if (!answer) return isSent ? unclear(error) : error
  const isSilent = answer.code === '' || /time_?out/i.test(answer.code)
  if (answer.status === 200 || (answer.status >= 500 && isSilent)) return unclear(error)
  const known = failureOf(answer.code)
  if (known) return known
  return error.code === 'MODEL_NOT_FOUND' ? unknownModel(role, error) : error
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
  return new SpeechError('SUBMIT_UNCLEAR', 'DashScope’s answer to the order was lost on the way.', {
    hint: 'Call again: a task that was made all the same is looked for before another one is paid for.',
    ...(cause !== undefined && { cause }),
  })
}

function unknownModel(role: FileRole, cause: unknown): SpeechError {
  const [setting, example] =
    role === 'speakers' ? ['SPEAKER_MODEL', 'fun-asr'] : ['FILE_MODEL', 'qwen3-asr-flash-filetrans']
  return new SpeechError('MODEL_NOT_FOUND', 'DashScope does not know the model, or has retired it.', {
    hint: `Set ${setting} to one that exists in the region, such as ${example}.`,
    scope: 'account',
    cause,
  })
}

/** The store says itself that it has nothing (more) for us; a proxy's refusal must not pass for that. */
function isGone(status: number, text: string): boolean {
  return (
    (status === 403 || status === 404) && /<Code>(AccessDenied|NoSuchKey|NoSuchBucket)<\/Code>/.test(text)
  )
}

function fetchError(status: number): SpeechError {
  const retryable = status >= 500 || status === 408 || status === 429
  return new SpeechError(
    retryable ? 'PROVIDER_FAILED' : 'PROVIDER_REFUSED',
    `The result of the task could not be fetched (${status}).`,
    {
      hint: retryable
        ? 'This passes as a rule; call again in a minute.'
        : 'Check that a proxy or firewall lets *.aliyuncs.com through; then call again.',
      retryable,
    },
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SpeechError('PROVIDER_FAILED', 'The result of the task came in pieces.', {
      hint: 'This passes as a rule; call again in a minute.',
      retryable: true,
    })
  }
}
