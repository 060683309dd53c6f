// Budgets of orders: each is kept within the limit of an order and its owner's limit of a day, and records what is paid.
import pLimit from 'p-limit'
import { type Budget, type BudgetPart, costTooHigh, dayLimitReached } from '../../domain/costs/budget.ts'
import { dayOf, type SpendingStore } from '../../domain/costs/spending.ts'
import { codeOf } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import { log } from '../../log.ts'
import {
  type CostLimits,
  ensureWithinShare,
  heldUsdOf,
  holdMs,
  renewalMs,
  sum,
  takeFrom,
  toleranceUsd,
  withoutExpired,
} from './allowances.ts'

export type { CostLimits } from './allowances.ts'

export interface OpenBudget extends Budget {
  /** Records what is left to record, and gives back all that is reserved. Never rejects. */
  close(): Promise<void>
}

/**
 * `order` is the id of the job, so that a second attempt takes over what a dead process had reserved; of a text any. A
 * recording of a batch takes from the allowance of that batch, and has a limit of its own where that is gone.
 */
export type OpenBudgets = (owner: string, order: string, batch?: Job['batch']) => OpenBudget

interface Part {
  reservedUsd: number
  paidUsd: number
  /** Of requests under way. */
  askedUsd: number
}

/**
 * An order counts for the day on which it begins (UTC). Requests are counted before they are sent, so orders at once
 * cannot exceed a limit together; only a request that costs more than estimated can.
 */
export function createBudgets(store: SpendingStore, limits: CostLimits, now = Date.now): OpenBudgets {
  const { orderUsd = Number.POSITIVE_INFINITY, dayUsd, isStrict = false } = limits

  return (owner, order, batch) => {
    const day = batch?.day ?? dayOf(now())
    const isWritten = dayUsd !== undefined || batch !== undefined
    const inTurn = pLimit(1)
    const parts = new Set<Part>()
    let paidUsd = 0
    let unrecordedUsd = 0
    let isHeld = false
    let isWritePlanned = false
    let renewal: NodeJS.Timeout | undefined

    const leftUsd = () => sum([...parts].map(part => Math.max(0, part.reservedUsd - part.paidUsd)))

    /** Records what was paid since the last write, and what is reserved. With `moreUsd` it throws `DAY_LIMIT_REACHED`. */
    async function write(moreUsd = 0): Promise<void> {
      const newUsd = unrecordedUsd
      const ownUsd = isWritten ? leftUsd() + moreUsd : 0
      await store.updateSpending(owner, day, before => {
        const earlier = before.held[order]
        const takenUsd = newUsd + ownUsd - (earlier?.batch === batch?.id ? (earlier?.usd ?? 0) : 0)
        if (moreUsd > 0 && batch?.usd !== undefined && !before.held[batch.id])
          ensureWithinShare(paidUsd + ownUsd, batch.usd)
        const held = batch ? takeFrom(before.held, batch.id, takenUsd, moreUsd > 0) : before.held
        const { [order]: _, ...others } = withoutExpired(held, now())
        const heldUsd = heldUsdOf(others, now())
        const spentUsd = before.usd + newUsd
        if (dayUsd !== undefined && moreUsd > 0 && spentUsd + heldUsd + ownUsd > dayUsd + toleranceUsd)
          throw dayLimitReached(ownUsd, { day, limitUsd: dayUsd, spentUsd, heldUsd })
        const own = { usd: ownUsd, until: now() + holdMs, ...(batch && { batch: batch.id }) }
        return { usd: Math.max(0, spentUsd), held: { ...others, ...(ownUsd > 0 && { [order]: own }) } }
      })
      unrecordedUsd -= newUsd
      isHeld = ownUsd > 0
      if (isHeld) renewal ??= setInterval(plan, renewalMs).unref()
    }

    /** Payments of the meantime go into the same write. A store that fails does not stop paid work. */
    function plan(): void {
      if (isWritePlanned) return
      isWritePlanned = true
      void inTurn(async () => {
        isWritePlanned = false
        await write().catch(logFailure)
      })
    }

    /** Reserves so much in all for a part. Runs in turn, except where enough is reserved. */
    async function reserve(part: Part, neededUsd: () => number, onReserved = () => {}): Promise<void> {
      const missing = () => neededUsd() - Math.max(part.reservedUsd, part.paidUsd)
      if (missing() > toleranceUsd)
        return inTurn(async () => {
          const moreUsd = missing()
          if (moreUsd > toleranceUsd) {
            const reservedUsd = neededUsd()
            const total = paidUsd + leftUsd() + moreUsd
            if (total > orderUsd + toleranceUsd) throw costTooHigh(total, orderUsd)
            if (isWritten) await write(moreUsd)
            part.reservedUsd = reservedUsd
          }
          onReserved()
        })
      onReserved()
    }

    function open(): BudgetPart {
      const part: Part = { reservedUsd: 0, paidUsd: 0, askedUsd: 0 }
      parts.add(part)
      function payEarlier(usd: number): void {
        part.paidUsd += usd
        paidUsd += usd
      }
      function pay(usd: number): void {
        if (usd === 0) return
        payEarlier(usd)
        unrecordedUsd += usd
        plan()
      }
      return {
        reserve: usd => reserve(part, () => usd),
        async charge(firstUsd) {
          let usd = 0
          let isSettled = false
          async function raise(toUsd: number): Promise<void> {
            const moreUsd = Math.max(0, toUsd - usd)
            const neededUsd = () => part.paidUsd + part.askedUsd + moreUsd
            await reserve(part, neededUsd, () => {
              part.askedUsd += moreUsd
              usd += moreUsd
            })
          }
          await raise(firstUsd)
          return {
            raise,
            settle(actualUsd) {
              if (isSettled) return
              isSettled = true
              part.askedUsd -= usd
              pay(actualUsd)
            },
          }
        },
        pay,
        payEarlier,
        close: () => void parts.delete(part),
      }
    }

    return {
      needsPrices: isStrict,
      open,
      async close() {
        clearInterval(renewal)
        parts.clear()
        await inTurn(async () => {
          if (isHeld || unrecordedUsd !== 0) await write().catch(logFailure)
        })
      },
    }
  }
}

function logFailure(error: unknown): void {
  log.warn('cost-not-recorded', { code: codeOf(error) })
}
