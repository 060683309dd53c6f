// Works of several owners under one limit.
import { expect, it } from 'vitest'
import { createFairLimit } from '../../../../src/domain/waiting/fair-limit.ts'

it('works of one owner begin in the order of their calls, as many at once as the limit allows', async () => {
  const limit = createFairLimit(2)
  let [running, most] = [0, 0]
  const begun: number[] = []
  const work = (n: number) => async () => {
    begun.push(n)
    most = Math.max(most, ++running)
    await Promise.resolve()
    running--
    return n
  }
  const results = await Promise.all([0, 1, 2, 3, 4].map(n => limit('ann', work(n))))
  expect([results, begun, most]).toEqual([[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], 2])
})

it('work of another owner is the next, behind many of the first', async () => {
  const limit = createFairLimit(1)
  const begun: string[] = []
  const work = (owner: string) => limit(owner, async () => begun.push(owner))
  await Promise.all(['ann', 'ann', 'ann', 'ann', 'ben', 'cyd', 'ben'].map(work))
  expect(begun).toEqual(['ann', 'ben', 'cyd', 'ann', 'ben', 'ann', 'ann'])
})

it('owners that come again and again take turns with one that waits', async () => {
  const limit = createFairLimit(1)
  const begun: string[] = []
  const work = (owner: string) =>
    limit(owner, async () => {
      begun.push(owner)
      await new Promise(setImmediate)
    })
  const coming = async (owner: string) => {
    for (let i = 0; i < 20; i++) {
      await work(owner)
      await new Promise(setImmediate)
    }
  }
  const waiting = Array.from({ length: 20 }, () => work('ann'))
  await Promise.all([...waiting, coming('ben'), coming('cyd')])
  expect(begun.slice(0, 30).filter(owner => owner === 'ann').length).toBeGreaterThan(8)
})

it('work that fails passes its error on, and the next one begins', async () => {
  const limit = createFairLimit(1)
  const failing = limit('ann', () => Promise.reject(new Error('It failed.')))
  const next = limit('ann', async () => 'next')
  await expect(failing).rejects.toThrow('It failed.')
  expect(await next).toBe('next')
  const thrown = limit('ann', () => {
    throw new Error('It threw.')
  })
  await expect(thrown).rejects.toThrow('It threw.')
  expect(await limit('ann', async () => 'next')).toBe('next')
})
