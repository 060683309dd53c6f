// A limit for recordings that their caller runs itself: what they may cost together.
import { type BatchPlan, type PlannedRecording, shareOf } from '../../domain/batch/batch.ts'
import { dayOf } from '../../domain/costs/spending.ts'
import { codeOf } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import { log } from '../../log.ts'
import type { JobBasis } from '../context.ts'
import { renewalMs } from '../records/allowances.ts'
import { batchId } from './stored-batch.ts'

export interface HeldAllowance {
  /** For the caller of the recording. */
  batchOf(recording: PlannedRecording): NonNullable<Job['batch']>
  /** Counts what was paid for a recording, in US dollars. */
  paid(usd: number): void
  /** Gives back what was not used. Never rejects. */
  close(): Promise<void>
}

/**
 * Holds `usd`, US dollars, or the price of the plan where the limit of the day has no room for more. Throws
 * `DAY_LIMIT_REACHED`, `STORE_*`.
 */
export async function holdAllowance(
  owner: string,
  { recordings, usd: plannedUsd = 0 }: BatchPlan,
  usd: number,
  { allowances }: Pick<JobBasis, 'allowances'>,
): Promise<HeldAllowance> {
  // The same command has the same id: jobs that a dead process has left find its limit.
  const id = `held_${batchId(recordings, undefined)}`
  const day = dayOf(Date.now())
  const held = (amount: number) => ({ owner, id, terms: { day, usd: amount } })
  let allowance = held(usd)
  try {
    await allowances.open(allowance)
  } catch (error) {
    if (codeOf(error) !== 'DAY_LIMIT_REACHED' || usd <= plannedUsd) throw error
    allowance = held(plannedUsd)
    await allowances.open(allowance)
  }
  const ids = recordings.map(one => one.id)
  let paidUsd = 0
  const renew = () => allowances.renew(allowance, paidUsd, ids).catch(logFailure)
  const timer = setInterval(() => void renew(), renewalMs).unref()
  return {
    batchOf: recording => ({ id, day, usd: shareOf(recording, recordings, allowance.terms.usd) }),
    paid(usd) {
      paidUsd += usd
    },
    async close() {
      clearInterval(timer)
      await allowances.close(allowance).catch(logFailure)
    },
  }
}

function logFailure(error: unknown): void {
  log.warn('allowance-not-kept', { code: codeOf(error) })
}
