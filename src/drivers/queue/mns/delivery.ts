// One received message: hidden from other workers while its job runs, then deleted, delayed or released.
import { setTimeout as sleep } from 'node:timers/promises'
import { isSpeechError } from '../../../domain/errors.ts'
import type { Delivery, Disposition } from '../../../domain/queue.ts'
import { log } from '../../../log.ts'
import type { MnsClient, ReceivedMessage } from './client.ts'

export interface MnsDelivery extends Delivery {
  /** Never rejects: a message that is not deleted is redelivered, and the next worker finds the job finished. */
  end(disposition: Disposition): Promise<void>
}

/** The shortest visibility timeout that the service accepts. */
const minVisibilitySeconds = 1
/** `extend` waits no longer, so that a slow response does not delay the renewal of the lease. */
const maxExtendWaitMs = 1_000

export function receiveDelivery(
  client: MnsClient,
  queue: string,
  message: ReceivedMessage,
  visibilitySeconds: number,
): MnsDelivery {
  /** Each change of visibility replaces the handle. */
  let handle: string | undefined = message.handle
  let extendedAt = performance.now()
  let extending: Promise<void> | undefined

  async function hideFor(seconds: number): Promise<void> {
    if (handle === undefined) return
    try {
      handle = await client.changeVisibility(queue, handle, seconds)
      extendedAt = performance.now()
    } catch (error) {
      logFailure('message-not-extended', error)
    }
  }

  return {
    async extend() {
      // Leases are renewed more often than messages need to be.
      if (performance.now() - extendedAt < (1000 * visibilitySeconds) / 3) return
      extending ??= hideFor(visibilitySeconds).finally(() => {
        extending = undefined
      })
      await Promise.race([extending, sleep(maxExtendWaitMs, undefined, { ref: false })])
    },
    async end(disposition) {
      await extending
      if (handle === undefined) return
      if (disposition === 'release') return hideFor(minVisibilitySeconds)
      // Another worker holds the job. If it dies, its own message reappears after the visibility timeout.
      if (disposition === 'delay')
        return hideFor(Math.max(minVisibilitySeconds, Math.round(visibilitySeconds / 3)))
      await client.delete(queue, handle).catch(error => logFailure('message-not-deleted', error))
    },
  }
}

function logFailure(event: string, error: unknown): void {
  log.warn(event, { code: isSpeechError(error) ? error.code : 'INTERNAL' })
}
