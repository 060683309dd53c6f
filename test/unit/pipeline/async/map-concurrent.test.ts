// Concurrent mapping of a stream: order, limit, back-pressure and errors.
import { describe, expect, it } from 'vitest'
import { mapConcurrent } from '../../../../src/pipeline/async/map-concurrent.ts'

describe('mapConcurrent', () => {
  /** A source and work that the test completes by hand. */
  function createControl() {
    const running = new Map<number, { finish(): void; fail(error: Error): void }>()
    const pulled: number[] = []
    let closed = false
    return {
      running,
      pulled,
      isClosed: () => closed,
      async *source(count: number): AsyncGenerator<number> {
        try {
          for (let i = 0; i < count; i++) {
            pulled.push(i)
            yield i
          }
        } finally {
          closed = true
        }
      },
      work: (item: number) =>
        new Promise<string>((resolve, reject) => {
          running.set(item, { finish: () => resolve(`done ${item}`), fail: reject })
        }),
    }
  }
  /** Lets all ready callbacks run. */
  const flushCallbacks = () => new Promise(resolve => setImmediate(resolve))

  it('works on at most `limit` items, and pulls nothing ahead', async () => {
    const { running, pulled, source, work } = createControl()
    const results = mapConcurrent(source(9), 3, work)
    const first = results.next()
    await flushCallbacks()
    expect([...running.keys()]).toEqual([0, 1, 2])
    expect(pulled).toEqual([0, 1, 2])
    running.get(1)!.finish()
    expect(await first).toEqual({ value: 'done 1', done: false })
    await flushCallbacks()
    expect(pulled).toEqual([0, 1, 2])
    const second = results.next()
    await flushCallbacks()
    expect(pulled).toEqual([0, 1, 2, 3])
    running.get(3)!.finish()
    expect((await second).value).toBe('done 3')
    await results.return(undefined)
  })

  it('yields each result once, as soon as it is ready', async () => {
    const items = Array.from({ length: 50 }, (_, i) => i)
    const results: number[] = []
    async function* source() {
      yield* items
    }
    for await (const result of mapConcurrent(source(), 7, async item => item * 2)) results.push(result)
    expect(results.toSorted((a, b) => a - b)).toEqual(items.map(item => item * 2))
  })

  it('mapConcurrent ends at once for an empty source', async () => {
    const { source, work } = createControl()
    expect(await mapConcurrent(source(0), 3, work).next()).toEqual({ value: undefined, done: true })
  })

  it('yields results while the source is pending', async () => {
    async function* slow() {
      yield 1
      await new Promise(() => {})
    }
    expect((await mapConcurrent(slow(), 3, async item => item).next()).value).toBe(1)
  })

  it('pulls no item after the first error, and closes the source', async () => {
    const { running, pulled, source, work, isClosed } = createControl()
    const first = mapConcurrent(source(9), 2, work).next()
    await flushCallbacks()
    const error = new Error('refused')
    running.get(0)!.fail(error)
    await expect(first).rejects.toBe(error)
    running.get(1)!.fail(new Error('late'))
    await flushCallbacks()
    expect(pulled).toEqual([0, 1])
    expect(isClosed()).toBe(true)
  })

  it('throws the error of the source', async () => {
    const error = new Error('broken')
    async function* source() {
      yield 1
      throw error
    }
    const results = mapConcurrent(source(), 1, async item => item)
    expect((await results.next()).value).toBe(1)
    await expect(results.next()).rejects.toBe(error)
  })

  it('closes the source when its reader returns early', async () => {
    const { running, source, work, isClosed } = createControl()
    const results = mapConcurrent(source(9), 2, work)
    const first = results.next()
    await flushCallbacks()
    running.get(0)!.finish()
    await first
    await results.return(undefined)
    running.get(1)!.fail(new Error('late'))
    await flushCallbacks()
    expect(isClosed()).toBe(true)
  })
})
