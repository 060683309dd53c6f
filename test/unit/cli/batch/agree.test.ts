// The consent to the price of a batch: --max-cost is a limit for all of it, and asks nothing.
import { expect, it } from 'vitest'
import { agree } from '../../../../src/cli/batch/agree.ts'
import type { BatchPlan } from '../../../../src/domain/batch/batch.ts'

const { signal } = new AbortController()
const plan: BatchPlan = {
  recordings: [],
  copies: [],
  unreadable: [],
  seconds: 60,
  newSeconds: 60,
  usd: 1,
  unknownLengths: 0,
}
const addresses = { ...plan, usd: 0, unknownLengths: 2 }
const consent = { yes: false, canAsk: false }

it.each([
  ['recordings of known length', plan],
  ['addresses', addresses],
])('--max-cost limits %s, without a question', async (_, plan) => {
  expect(await agree(plan, { ...consent, maxCostUsd: 2 }, signal)).toEqual({ limitUsd: 2 })
  expect(await agree(plan, { ...consent, yes: true, maxCostUsd: 2 }, signal)).toEqual({ limitUsd: 2 })
})

it('--max-cost limits also what is done by the plan, as it may be gone when its turn comes', async () => {
  expect(await agree({ ...plan, usd: 0 }, { ...consent, maxCostUsd: 2 }, signal)).toEqual({ limitUsd: 2 })
})

it.each([
  ['a higher price', plan, 0.5, 'COST_TOO_HIGH'],
  ['an unknown price', { ...plan, usd: undefined }, 2, 'PRICE_UNKNOWN'],
  ['addresses at an unknown price', { ...addresses, usd: undefined }, 2, 'PRICE_UNKNOWN'],
])('--max-cost refuses %s before anything is sent', async (_, plan, maxCostUsd, code) => {
  await expect(agree(plan, { ...consent, yes: true, maxCostUsd }, signal)).rejects.toMatchObject({ code })
})

it('without a terminal, addresses need --yes or --max-cost', async () => {
  await expect(agree(addresses, consent, signal)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  expect(await agree(addresses, { ...consent, yes: true }, signal)).toEqual({})
})
