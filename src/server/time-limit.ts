// Time limits of calls and of requests for transcripts: the client gets an answer, and the work that was begun goes on.
import { SpeechError } from '../domain/errors.ts'
import { deadlines } from '../domain/network/deadlines.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { ServerOptions } from './connection.ts'

/** Part of a call's deadline, in which its answer reaches the client. */
const answerShare = 0.2

/** Milliseconds after which a call of this kind is answered. */
export function answerMsWithin({ totalSeconds }: { totalSeconds: number }): number {
  return 1000 * totalSeconds * (1 - answerShare)
}

/** `signal` is aborted with the client's, and when the time is up; `timeUp` rejects then. */
export function startLimit(client: AbortSignal, milliseconds: number) {
  const abort = new AbortController()
  const follow = () => abort.abort(client.reason)
  client.addEventListener('abort', follow)
  if (client.aborted) follow()
  let isTimeUp = false
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isTimeUp = true
      const error = new SpeechError(
        'CALL_TIMEOUT',
        'The server could not answer within the time of the call.',
        {
          hint: 'A disk or the store responds slowly, or the recording has many hours. What was begun goes on: repeat the call, or look whether an exported file is there. Of many hours, read a part: get_transcript takes from and to.',
          retryable: true,
        },
      )
      reject(error)
      abort.abort(error)
    }, milliseconds)
  })
  return {
    signal: abort.signal,
    timeUp,
    isTimeUp: () => isTimeUp,
    stop() {
      clearTimeout(timer)
      client.removeEventListener('abort', follow)
    },
  }
}

/** Jobs whose transcripts are read, rendered and listed within the time of a call, or rejected with `CALL_TIMEOUT`. */
export function answeringInTime({ jobs, load }: Pick<ServerOptions, 'jobs' | 'load'>): Jobs {
  async function inTime<T>(begin: (signal: AbortSignal) => Promise<T>): Promise<T> {
    await load?.().catch(() => {})
    const limit = startLimit(new AbortController().signal, answerMsWithin(deadlines.call))
    try {
      return await Promise.race([begin(limit.signal), limit.timeUp])
    } finally {
      limit.stop()
    }
  }
  return {
    ...jobs,
    read: (...args) => inTime(() => jobs.read(...args)),
    list: (...args) => inTime(() => jobs.list(...args)),
    oneAtATime: (owner, work) =>
      inTime(signal =>
        jobs.oneAtATime(owner, () => {
          signal.throwIfAborted()
          return work()
        }),
      ),
  }
}
