// Addresses in a batch: their length is not known before it begins, so an amount bounds what they cost.
import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { CostLimits } from '../../../../src/jobs/records/allowances.ts'
import {
  createWorkspace,
  type HarnessOptions,
  owner,
  spokenWav,
  type Workspace,
} from '../../../support/jobs/harness.ts'

const { signal } = new AbortController()
const month = new Date().toISOString().slice(0, 7)
const caller = { tool: 'transcribe_audio' as const, owner, signal }
let space: Workspace

beforeAll(async () => {
  space = await createWorkspace(1)
})
afterAll(() => space.close())

/** Two addresses, of two passages each. */
const sources = ['https://example.com/a.wav', 'https://example.com/b.wav']

const downloader: HarnessOptions['downloader'] = {
  identify: async () => '1',
  async download(url, file) {
    await writeFile(file, spokenWav(2, url.charCodeAt(20)))
    return 0
  },
}
const open = (usdPerSecond: number, limits: CostLimits) => space.open({ usdPerSecond, limits, downloader })

it('the plan names the limit of an order, and with it the recordings are transcribed', async () => {
  const { jobs } = await open(0.01, { orderUsd: 5 })
  const options = { context: 'limited' }
  const { plan, mostUsd, id } = await jobs.orderBatch({ sources, options }, caller)
  expect({ usd: plan?.usd, mostUsd, id }).toEqual({ usd: 0, mostUsd: 5, id: undefined })
  // Nothing of an estimate of $0 is left for them.
  expect((await jobs.orderBatch({ sources, options, agreedUsd: 0 }, caller)).id).toBeUndefined()
  const agreed = await jobs.orderBatch({ sources, options, agreedUsd: mostUsd! }, caller)
  await jobs.watch(agreed.id!, { owner, signal })
  const { state, items, agreedUsd } = await jobs.batch(owner, agreed.id!)
  expect({ state, agreedUsd }).toEqual({ state: 'completed', agreedUsd: 5 })
  expect(items.every(({ end }) => end!.costUsd! > 0)).toBe(true)
})

it('a lower amount bounds all of them together', async () => {
  const { jobs } = await open(0.01, { orderUsd: 5 })
  const order = { sources, options: { context: 'bounded' }, agreedUsd: 0.07 }
  const { id } = await jobs.orderBatch(order, caller)
  await jobs.watch(id!, { owner, signal })
  const { items } = await jobs.batch(owner, id!)
  const paid = items.reduce((sum, { end }) => sum + (end?.costUsd ?? 0), 0)
  expect(paid).toBeLessThanOrEqual(0.07)
  expect(items.map(({ end }) => end?.error?.code)).toContain('COST_TOO_HIGH')
})

it('an amount bounds those that their caller runs itself, too', async () => {
  const { jobs } = await open(0.01, {})
  const spent = async () => (await jobs.spending(month))[0]?.usd ?? 0
  const [options, before] = [{ context: 'held' }, await spent()]
  const plan = await jobs.plan({ sources, options }, caller)
  const allowance = await jobs.limitCost(owner, plan, 0.07)
  const results = await Promise.allSettled(
    plan.recordings.map(one =>
      jobs.transcribe({ ...options, audio: one.audio }, { ...caller, batch: allowance.batchOf(one) }, {}),
    ),
  )
  const usedUsd = await allowance.close({ isOver: true })
  const codes = results.flatMap(one => (one.status === 'rejected' ? [one.reason.code] : []))
  expect(codes).toEqual(['COST_TOO_HIGH'])
  const spentUsd = (await spent()) - before
  expect(spentUsd).toBeLessThanOrEqual(0.07)
  // Neither what was refused nor what was reserved counts.
  expect(usedUsd).toBeCloseTo(spentUsd, 6)
})

describe('a recording that a process has left', () => {
  const forever = () => new Promise<never>(() => {})
  const of = (name: string) => ({ ...caller, owner: name })

  /** Begins both recordings, within a limit if there is one, and ends their process. */
  async function leave(name: string, context: string, limitUsd?: number): Promise<void> {
    const concurrency = { short: 1, long: 1, remote: 1 }
    const options = { usdPerSecond: 0.01, downloader, concurrency, recognise: forever }
    const { jobs, requests, close } = await space.open(options)
    const plan = await jobs.plan({ sources, options: { context } }, of(name))
    const allowance = limitUsd === undefined ? undefined : await jobs.limitCost(name, plan, limitUsd)
    for (const one of plan.recordings) {
      const batch = allowance && { batch: allowance.batchOf(one) }
      jobs.transcribe({ context, audio: one.audio }, { ...of(name), ...batch }, {}).catch(() => {})
    }
    await vi.waitFor(() => expect(requests.length).toBeGreaterThan(0))
    await allowance?.close({ isOver: false })
    await close()
  }

  it.each([
    ['without a limit', 'fay', undefined],
    ['with a higher limit', 'gus', 5],
  ])('%s takes from the limit of the next order', async (context, name, limitUsd) => {
    await leave(name, context, limitUsd)
    const { jobs } = await open(0.01, {})
    const plan = await jobs.plan({ sources, options: { context } }, of(name))
    const allowance = await jobs.limitCost(name, plan, 0.02)
    const codes = await Promise.all(
      plan.recordings.map(one =>
        jobs
          .transcribe({ context, audio: one.audio }, { ...of(name), batch: allowance.batchOf(one) }, {})
          .catch(error => error.code),
      ),
    )
    expect(codes).toContain('COST_TOO_HIGH')
    const [spending] = (await jobs.spending(month)).filter(one => one.owner === name)
    expect(spending?.usd ?? 0).toBeLessThanOrEqual(0.02)
  })

  it('is not held to its old limit by an order without one', async () => {
    // The first one takes most of it; the second one waits for its turn.
    await leave('hal', 'lifted', 0.07)
    const { jobs } = await open(0.01, {})
    const request = { context: 'lifted', audio: sources[1]! }
    const { transcript } = await jobs.transcribe(request, of('hal'), {})
    expect(transcript.status).toBe('completed')
  })
})

it('what costs nothing is not refused where the day has nothing left', async () => {
  const { jobs } = await open(0.01, { dayUsd: 0.01 })
  const plan = await jobs.plan({ sources, options: { context: 'done' } }, { ...caller, owner: 'ida' })
  const recordings = plan.recordings.map(one => ({ ...one, state: 'done' as const, usd: 0 }))
  const free = { ...plan, recordings, usd: 0, unknownLengths: 0 }
  const held = await jobs.limitCost('ida', plan, 0.01)
  expect(await (await jobs.limitCost('ida', free, 5)).close({ isOver: true })).toBe(0)
  await held.close({ isOver: true })
})

describe('beside a limit of the day', () => {
  const day = { dayUsd: 0.2 }
  const of = (name: string) => ({ ...caller, owner: name })

  it('they may cost what the day has left', async () => {
    const { jobs } = await open(0.01, day)
    const plan = await jobs.plan({ sources, options: { context: 'day' } }, of('dan'))
    const allowance = await jobs.limitCost('dan', plan, 5)
    expect(allowance.usd).toBeCloseTo(0.2)
    const [first] = plan.recordings
    const request = { context: 'day', audio: first!.audio }
    const { transcript } = await jobs.transcribe(
      request,
      { ...of('dan'), batch: allowance.batchOf(first!) },
      {},
    )
    expect(transcript.status).toBe('completed')
    expect(await allowance.close({ isOver: true })).toBeCloseTo(transcript.usage.costUsd!)
  })

  it('nothing begins where the day has nothing left', async () => {
    const { jobs } = await open(0.01, day)
    const plan = await jobs.plan({ sources, options: { context: 'late' } }, of('eve'))
    const earlier = await jobs.limitCost('eve', { ...plan, recordings: plan.recordings.slice(1) }, 0.2)
    await expect(jobs.limitCost('eve', plan, 5)).rejects.toMatchObject({ code: 'DAY_LIMIT_REACHED' })
    await earlier.close({ isOver: true })
    await (await jobs.limitCost('eve', plan, 5)).close({ isOver: true })
  })
})

it('a price that is unknown is so whatever the length', async () => {
  const { jobs } = await space.open({ usdPerSecond: 'unknown', downloader })
  const plan = await jobs.plan({ sources, options: { context: 'unpriced' } }, caller)
  expect(plan).toMatchObject({ usd: undefined, unknownLengths: 2 })
})

it('without a limit the user has to name an amount', async () => {
  const { jobs } = await open(0.01, {})
  const { mostUsd, id } = await jobs.orderBatch({ sources, options: { context: 'open' } }, caller)
  expect({ mostUsd, id }).toEqual({ mostUsd: undefined, id: undefined })
})

it('what costs nothing per second needs no length', async () => {
  const { jobs } = await open(0, { orderUsd: 5 })
  const { id, mostUsd } = await jobs.orderBatch(
    { sources, options: { context: 'free' }, agreedUsd: 0 },
    caller,
  )
  expect({ begun: id !== undefined, mostUsd }).toEqual({ begun: true, mostUsd: undefined })
  await jobs.watch(id!, { owner, signal })
})
