import { describe, expect, it } from 'vitest'
import { mapConcurrent } from '../../../../src/pipeline/async/map-concurrent.ts'

describe('parallel', () => {
  /** Work that ends when the test says so. */
  function bench() {
    const doors = new Map<number, { open(): void; fail(error: Error): void }>()
    const pulled: number[] = []
    let closed = false
    return {
      doors,
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
          doors.set(item, { open: () => resolve(`done ${item}`), fail: reject })
        }),
    }
  }
  /** Long enough for everything that can happen to happen. */
  const settle = () => new Promise(resolve => setImmediate(resolve))

  it('has no more than the limit in work, and pulls nothing ahead', async () => {
    const { doors, pulled, source, work } = bench()
    const results = mapConcurrent(source(9), 3, work)
    const first = results.next()
    await settle()
    expect([...doors.keys()]).toEqual([0, 1, 2])
    expect(pulled).toEqual([0, 1, 2])
    doors.get(1)!.open()
    expect(await first).toEqual({ value: 'done 1', done: false })
    await settle()
    expect(pulled).toEqual([0, 1, 2])
    const second = results.next()
    await settle()
    expect(pulled).toEqual([0, 1, 2, 3])
    doors.get(3)!.open()
    expect((await second).value).toBe('done 3')
    await results.return(undefined)
  })

  it('gives each result once, as soon as it is there', async () => {
    const items = Array.from({ length: 50 }, (_, i) => i)
    const results: number[] = []
    async function* source() {
      yield* items
    }
    for await (const result of mapConcurrent(source(), 7, async item => item * 2)) results.push(result)
    expect(results.toSorted((a, b) => a - b)).toEqual(items.map(item => item * 2))
  })

  it('of nothing ends at once', async () => {
    const { source, work } = bench()
    expect(await mapConcurrent(source(0), 3, work).next()).toEqual({ value: undefined, done: true })
  })

  it('hands results out while the source is still thinking', async () => {
    async function* slow() {
      yield 1
      await new Promise(() => {})
    }
    expect((await mapConcurrent(slow(), 3, async item => item).next()).value).toBe(1)
  })

  it('stops at the first error: no further item, and the source is closed', async () => {
    const { doors, pulled, source, work, isClosed } = bench()
    const first = mapConcurrent(source(9), 2, work).next()
    await settle()
    const error = new Error('refused')
    doors.get(0)!.fail(error)
    await expect(first).rejects.toBe(error)
    doors.get(1)!.fail(new Error('late'))
    await settle()
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

  it('closes the source when its reader leaves early', async () => {
    const { doors, source, work, isClosed } = bench()
    const results = mapConcurrent(source(9), 2, work)
    const first = results.next()
    await settle()
    doors.get(0)!.open()
    await first
    await results.return(undefined)
    doors.get(1)!.fail(new Error('late'))
    await settle()
    expect(isClosed()).toBe(true)
  })
})
