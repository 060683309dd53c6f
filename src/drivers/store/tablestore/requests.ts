// Every request to Tablestore: its attempts, their deadlines, and what is said when they are used up.
import { setTimeout as sleep } from 'node:timers/promises'
import { createConnection, type Loaded, silence } from './client.ts'
import { codeOf, mayPass, noAnswer, storeFailure } from './errors.ts'
import type { TablestoreOptions } from './options.ts'

export interface Requests {
  /**
   * Does one request, again and again while that may help; `right` is what a RAM policy must allow for it. A write whose
   * answer was lost may have been done before it is done again.
   */
  call<T>(right: string, request: (loaded: Loaded) => Promise<T>): Promise<T>
  close(): void
}

const longestDelay = 2

/** Seconds. `patience` is for all attempts at one request. */
export function createRequests(options: TablestoreOptions): Requests {
  const { firstDelaySeconds = 0.1, timeoutSeconds = 10 } = options
  const connection = createConnection(options)
  return {
    async call(right, request) {
      const end = performance.now() + 1000 * timeoutSeconds
      for (let delay = firstDelaySeconds; ; delay = Math.min(2 * delay, longestDelay)) {
        try {
          const loaded = await connection.open()
          return await within(Math.min(silence + 500, end - performance.now()), request(loaded))
        } catch (error) {
          const pause = 1000 * delay * (0.5 + Math.random() / 2)
          if (!mayPass(error) || performance.now() + pause >= end) throw given(error, right)
          await sleep(pause, undefined, { ref: false })
        }
      }
    },
    close: connection.close,
  }
}

/** The failed condition of a write is an answer that its writer wants. */
function given(error: unknown, right: string): unknown {
  return isRefusedByCondition(error) ? error : storeFailure(error, right)
}

export function isRefusedByCondition(error: unknown): boolean {
  return codeOf(error) === 'OTSConditionCheckFail'
}

/** The library knows no signal: what comes too late is not waited for, and ends with its silent connection. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(noAnswer()), Math.max(1, milliseconds))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    work.catch(() => {})
  }
}
