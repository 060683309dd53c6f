// The allowance of a batch: its price is held once, recordings take from it, and nothing is spent beyond it.
import { beforeEach, describe, expect, it } from 'vitest'
import { type DaySpending, nothingSpent, type SpendingStore } from '../../../../src/domain/costs/spending.ts'
import { type CostLimits, createAllowances } from '../../../../src/jobs/records/allowances.ts'
import { createBudgets } from '../../../../src/jobs/records/budgets.ts'

const day = '2026-11-30'
let time = 0
const now = () => time
const owner = 'ann'
const batch = (usd: number) => ({ owner, id: 'ba_1', terms: { day, usd } })
const of = { id: 'ba_1', day }

let record: DaySpending
let store: SpendingStore

beforeEach(() => {
  time = Date.parse(`${day}T12:00:00Z`)
  record = nothingSpent
  store = {
    async updateSpending(_, __, change) {
      record = change(record)
    },
    listSpending: async () => [],
  }
})

const heldUsd = () => Object.fromEntries(Object.entries(record.held).map(([id, { usd }]) => [id, usd]))
const open = (limits: CostLimits = {}) => ({
  allowances: createAllowances(store, limits, now),
  budgets: createBudgets(store, limits, now),
})

describe('an allowance', () => {
  it('a recording takes what it reserves, and gives back what it does not use', async () => {
    const { allowances, budgets } = open()
    await allowances.open(batch(1))
    const budget = budgets(owner, 'tr_1', of)
    const part = budget.open()
    await part.reserve(0.6)
    expect(heldUsd()).toEqual({ ba_1: expect.closeTo(0.4), tr_1: 0.6 })
    part.pay(0.5)
    part.close()
    await budget.close()
    expect(heldUsd()).toEqual({ ba_1: expect.closeTo(0.5) })
    expect(record.usd).toBeCloseTo(0.5)
    await allowances.close(batch(1))
    expect(record).toMatchObject({ held: {} })
  })

  it('recordings together cannot exceed the price of their batch', async () => {
    const { allowances, budgets } = open()
    await allowances.open(batch(1))
    await budgets(owner, 'tr_1', of).open().reserve(0.6)
    const second = budgets(owner, 'tr_2', of).open()
    await expect(second.reserve(0.6)).rejects.toMatchObject({
      code: 'COST_TOO_HIGH',
      message: expect.stringContaining('of the price agreed for the batch, $0.4000 are left'),
    })
    await second.reserve(0.4)
    await expect(second.charge(0.5)).rejects.toMatchObject({ code: 'COST_TOO_HIGH' })
  })

  it('the limit of a day counts the batch as one order, with its whole price', async () => {
    const { allowances, budgets } = open({ dayUsd: 1.2 })
    await allowances.open(batch(1))
    // The amounts that recordings reserve are part of it.
    await budgets(owner, 'tr_1', of).open().reserve(0.9)
    await expect(budgets(owner, 'other').open().reserve(0.3)).rejects.toMatchObject({
      code: 'DAY_LIMIT_REACHED',
    })
    await budgets(owner, 'other').open().reserve(0.2)
    const more = { ...batch(0.1), id: 'ba_2' }
    await expect(allowances.open(more)).rejects.toMatchObject({ code: 'DAY_LIMIT_REACHED' })
    expect(Object.keys(heldUsd())).not.toContain('ba_2')
  })

  it('the limit of an order is that of the whole batch', () => {
    expect(() => open({ orderUsd: 1 }).allowances.check(1.1)).toThrow(
      expect.objectContaining({ code: 'COST_TOO_HIGH' }),
    )
    expect(() => open({ orderUsd: 1 }).allowances.check(1)).not.toThrow()
  })

  it('a recording whose batch has gone keeps to its own part of the price', async () => {
    const { allowances, budgets } = open()
    await allowances.open(batch(1))
    const part = budgets(owner, 'tr_1', { ...of, usd: 0.3 }).open()
    // While the batch is there, others may have left some of their part.
    await part.reserve(0.4)
    await allowances.close(batch(1))
    const taken = budgets(owner, 'tr_2', { ...of, usd: 0.3 }).open()
    await taken.reserve(0.3)
    await expect(taken.reserve(0.4)).rejects.toMatchObject({
      code: 'COST_TOO_HIGH',
      message: 'This would cost up to $0.4000; its part of the price agreed for the batch is $0.3000.',
    })
    // The payments of a dead process count.
    const resumed = budgets(owner, 'tr_3', { ...of, usd: 0.3 }).open()
    resumed.payEarlier(0.2)
    await expect(resumed.charge(0.2)).rejects.toMatchObject({ code: 'COST_TOO_HIGH' })
    await resumed.charge(0.1)
  })

  it('goes on to limit its recordings after its process has died, and counts for the day no longer', async () => {
    const { allowances, budgets } = open({ dayUsd: 1.2 })
    await allowances.open(batch(1))
    await budgets(owner, 'tr_1', { ...of, usd: 0.5 })
      .open()
      .reserve(0.8)
    time += 3_600_000
    await budgets(owner, 'other').open().reserve(1.1)
    const second = budgets(owner, 'tr_2', { ...of, usd: 0.5 }).open()
    await expect(second.reserve(0.5)).rejects.toMatchObject({ code: 'COST_TOO_HIGH' })
    await expect(second.reserve(0.2)).rejects.toMatchObject({ code: 'DAY_LIMIT_REACHED' })
    await second.reserve(0.1)
    // The amount that the dead process had reserved for it is its own again.
    time += 3_600_000
    await budgets(owner, 'tr_1', { ...of, usd: 0.5 })
      .open()
      .reserve(0.85)
  })

  it('a process that slept goes on with what was left', async () => {
    const { allowances, budgets } = open()
    await allowances.open(batch(1))
    await budgets(owner, 'tr_1', of).open().reserve(0.3)
    time += 3_600_000
    await allowances.renew(batch(1))
    expect(heldUsd()).toEqual({ tr_1: 0.3, ba_1: expect.closeTo(0.7) })
  })

  it('recordings that are left to another process keep to what is left of it', async () => {
    const { allowances, budgets } = open()
    await allowances.open(batch(1))
    await budgets(owner, 'tr_1', { ...of, usd: 0.5 })
      .open()
      .reserve(0.9)
    await allowances.endForDay(batch(1))
    const second = budgets(owner, 'tr_2', { ...of, usd: 0.5 }).open()
    await expect(second.reserve(0.2)).rejects.toMatchObject({ code: 'COST_TOO_HIGH' })
    await second.reserve(0.1)
  })

  it('ordered again, its recordings that are under way take from the new price', async () => {
    const { allowances, budgets } = open()
    await allowances.open(batch(1))
    await budgets(owner, 'tr_1', of).open().reserve(0.6)
    await allowances.open(batch(1))
    const taken = budgets(owner, 'tr_1', of).open()
    await taken.reserve(0.6)
    await expect(budgets(owner, 'tr_2', of).open().reserve(0.6)).rejects.toMatchObject({
      code: 'COST_TOO_HIGH',
    })
  })
})
