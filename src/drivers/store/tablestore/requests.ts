// Requests to Tablestore: time limits, retries and translated errors.
import { deadlines } from '../../../domain/network/deadlines.ts'
import { retry } from '../../http/retry.ts'
import { type ConnectionOptions, createConnection, type LoadedClient, socketTimeoutMs } from './client.ts'
import { codeOf, isTransient, storeError, timedOut } from './errors.ts'

export interface RequestOptions {
  /** Pause before the second attempt. */
  firstDelaySeconds?: number | undefined
  /** Time limit of all attempts at one request. */
  timeoutSeconds?: number | undefined
}

export interface Requests {
  /**
   * Makes one request, with retries; `permission` is what a RAM policy has to grant. A write whose response was lost may
   * be done twice.
   */
  call<T>(permission: string, request: (loaded: LoadedClient) => Promise<T>): Promise<T>
  close(): void
}

const maxDelaySeconds = 2

export function createRequests(options: ConnectionOptions & RequestOptions): Requests {
  const { firstDelaySeconds = 0.1, timeoutSeconds = deadlines.store.totalSeconds } = options
  const connection = createConnection(options)
  return {
    async call(permission, request) {
      const endsAt = performance.now() + 1000 * timeoutSeconds
      try {
        return await retry(
          async () => {
            const loaded = await connection.open()
            return within(Math.min(socketTimeoutMs + 500, endsAt - performance.now()), request(loaded))
          },
          {
            firstDelaySeconds,
            maxDelaySeconds,
            maxTotalSeconds: timeoutSeconds,
            isRetryable: isTransient,
            unref: true,
          },
        )
      } catch (error) {
        // The writer handles a failed condition itself.
        throw isConditionFailure(error) ? error : storeError(error, permission)
      }
    },
    close: connection.close,
  }
}

export function isConditionFailure(error: unknown): boolean {
  return codeOf(error) === 'OTSConditionCheckFail'
}

/** The library takes no signal: a late request is abandoned and ends with its silent connection. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timedOut()), Math.max(1, milliseconds))
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
    work.catch(() => {})
  }
}
