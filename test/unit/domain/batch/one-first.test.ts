// Recordings of a batch, some at a time: the first ones alone, until the provider has answered.
import { describe, expect, it, vi } from 'vitest'
import { runOneFirst } from '../../../../src/domain/batch/one-first.ts'

type State = 'new' | 'done'

/** Runs recordings that end when the test says so; `begun` has their numbers. */
async function start(states: State[], concurrency = 3) {
  const begun: number[] = []
  const ends: ((answered: boolean) => void)[] = []
  const recordings = states.map((state, number) => ({ state, number }))
  const all = runOneFirst(recordings, concurrency, async ({ number }, onAnswered) => {
    begun.push(number)
    if (await new Promise<boolean>(resolve => (ends[number] = resolve))) onAnswered()
  })
  await new Promise(setImmediate)
  return {
    begun,
    all,
    async end(number: number, answered: boolean) {
      ends[number]!(answered)
      await new Promise(setImmediate)
    },
  }
}

describe('recordings of a batch', () => {
  it('the second waits until the first has an answer, then as many run as may', async () => {
    const { begun, end, all } = await start(['new', 'new', 'new', 'new', 'new'])
    expect(begun).toEqual([0])
    await end(0, true)
    expect(begun).toEqual([0, 1, 2, 3])
    for (const number of [1, 2, 3, 4]) await end(number, true)
    await all
    expect(begun).toEqual([0, 1, 2, 3, 4])
  })

  it('one that ends without an answer is followed by another one alone', async () => {
    const { begun, end } = await start(['new', 'new', 'new'])
    await end(0, false)
    expect(begun).toEqual([0, 1])
    await end(1, true)
    expect(begun).toEqual([0, 1, 2])
  })

  it('those that cost nothing wait for no answer, and hold no other', async () => {
    const { begun, end } = await start(['new', 'done', 'done', 'done'])
    expect(begun).toEqual([1, 2, 0])
    await end(1, false)
    expect(begun).toEqual([1, 2, 0, 3])
    await end(0, true)
    await end(3, false)
    await end(2, false)
    expect(begun).toEqual([1, 2, 0, 3])
  })

  it('a first one that is slow holds the others for half a minute', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      const { begun } = await start(['new', 'new', 'new', 'new'])
      await vi.advanceTimersByTimeAsync(29_999)
      expect(begun).toEqual([0])
      await vi.advanceTimersByTimeAsync(1)
      expect(begun).toEqual([0, 1, 2])
    } finally {
      vi.useRealTimers()
    }
  })

  it('a failure ends the run after those under way', async () => {
    const all = runOneFirst([{ state: 'new' }, { state: 'new' }], 2, async () => {
      throw new Error('No.')
    })
    await expect(all).rejects.toThrow('No.')
  })
})
