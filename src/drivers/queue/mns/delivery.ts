// A message in hand: kept from others while it is worked on, and given up, or away, when that is over.
import { setTimeout as sleep } from 'node:timers/promises'
import { isSpeechError } from '../../../domain/errors.ts'
import type { Delivery, Disposition } from '../../../domain/queue.ts'
import { log } from '../../../log.ts'
import type { Line, Received } from './client.ts'

export interface MessageInHand extends Delivery {
  /** Says what becomes of it. Never rejects: what nobody deletes is handed out again, and its finder sees that it is done. */
  end(verdict: Disposition): Promise<void>
}

/** Seconds until others may have a message at the soonest (limit of the service). */
const soonest = 1

export function takeInHand(
  line: Line,
  queue: string,
  { handle: first }: Received,
  visibility: number,
): MessageInHand {
  /** Each extension gives a new one, and ends the one before. */
  let handle: string | undefined = first
  let extended = performance.now()
  let extending: Promise<void> | undefined

  async function hide(seconds: number): Promise<void> {
    if (handle === undefined) return
    try {
      handle = await line.hide(queue, handle, seconds)
      extended = performance.now()
    } catch (error) {
      complain('message-not-extended', error)
    }
  }

  return {
    async extend() {
      // Leases are renewed more often than a message has to be.
      if (performance.now() - extended < (1000 * visibility) / 3) return
      extending ??= hide(visibility).finally(() => {
        extending = undefined
      })
      // An answer that is slow keeps the lease from nothing.
      await Promise.race([extending, sleep(1_000, undefined, { ref: false })])
    },
    async end(verdict) {
      await extending
      if (handle === undefined) return
      if (verdict === 'now') return hide(soonest)
      // Somebody else is at it: when he dies, his message comes back after the whole time.
      if (verdict === 'later') return hide(Math.max(soonest, Math.round(visibility / 3)))
      await line.remove(queue, handle).catch(error => complain('message-not-deleted', error))
    },
  }
}

function complain(event: string, error: unknown): void {
  log.warn(event, { code: isSpeechError(error) ? error.code : 'INTERNAL' })
}
