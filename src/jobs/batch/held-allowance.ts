// A limit for recordings that their caller runs itself: what they may cost together.
import { randomBytes } from 'node:crypto'
import { type BatchPlan, isPriceOpen, type PlannedRecording, shareOf } from '../../domain/batch/batch.ts'
import { dayOf } from '../../domain/costs/spending.ts'
import { codeOf } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import { log } from '../../log.ts'
import type { JobBasis } from '../context.ts'
import { renewalMs } from '../records/allowances.ts'

export interface HeldAllowance {
  /** US dollars: what was asked for, or what the limit of the day has left. */
  usd: number
  /** For the caller of the recording. */
  batchOf(recording: PlannedRecording): NonNullable<Job['batch']>
  /**
   * Gives back what was not used, and resolves with what was, in US dollars, as far as it is recorded by then; undefined
   * where that is not known. Recordings that are left to other processes keep to the rest of it. Never rejects.
   */
  close(options: { isOver: boolean }): Promise<number | undefined>
}

/** Enough for a few seconds of sound: with less nothing of unknown length can begin. */
const smallestUsd = 0.0001

/**
 * Holds `usd`, US dollars, or what the limit of the day has left; nothing for a plan that costs nothing. Throws
 * `DAY_LIMIT_REACHED` where the day has less left than the price of the plan, and `STORE_*`.
 */
export async function holdAllowance(
  owner: string,
  plan: BatchPlan,
  usd: number,
  { allowances }: Pick<JobBasis, 'allowances'>,
): Promise<HeldAllowance> {
  const { recordings, usd: plannedUsd = 0 } = plan
  // Of this command alone: the same one may run in another process, with a limit of its own.
  const id = `held_${randomBytes(8).toString('hex')}`
  const day = dayOf(Date.now())
  const batchOf = (shareUsd: number) => ({ id, day, usd: shareUsd })
  if (plannedUsd === 0 && !isPriceOpen(plan)) return { usd, batchOf: () => batchOf(0), close: async () => 0 }
  const batch = { owner, id, terms: { day, usd } }
  const leastUsd = Math.min(usd, isPriceOpen(plan) ? plannedUsd + smallestUsd : plannedUsd)
  const heldUsd = await allowances.open(batch, leastUsd)
  const timer = setInterval(() => void allowances.renew(batch).catch(logFailure), renewalMs).unref()
  return {
    usd: heldUsd,
    batchOf: recording => batchOf(shareOf(recording, recordings, heldUsd)),
    async close({ isOver }) {
      clearInterval(timer)
      try {
        if (isOver) return Math.max(0, heldUsd - (await allowances.close(batch)))
        await allowances.endForDay(batch)
      } catch (error) {
        logFailure(error)
      }
      return undefined
    },
  }
}

function logFailure(error: unknown): void {
  log.warn('allowance-not-kept', { code: codeOf(error) })
}
