// Merging of streams: each is a voice with a decoder of its own, and a recording may have 32.
import { expect, it } from 'vitest'
import { mergeAsync } from '../../../../src/pipeline/async/merge-async.ts'

function streams(count: number) {
  let open = 0
  let most = 0
  async function* stream(number: number) {
    most = Math.max(most, ++open)
    try {
      for (const item of ['a', 'b', 'c']) {
        await new Promise(setImmediate)
        yield `${number}${item}`
      }
    } finally {
      open--
    }
  }
  const all = Array.from({ length: count }, (_, i) => stream(i))
  return { all, most: () => most, open: () => open }
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

it('reads as many streams at once as it may, and each of them to its end', async () => {
  const { all, most } = streams(7)
  const found = await collect(mergeAsync(all, 3))
  expect(most()).toBe(3)
  expect(found.toSorted()).toEqual([...Array(7).keys()].flatMap(i => [`${i}a`, `${i}b`, `${i}c`]))
})

it('ends the streams that are open when its reader stops', async () => {
  const { all, open } = streams(5)
  for await (const _ of mergeAsync(all, 2)) break
  await new Promise(setImmediate)
  await expect.poll(open).toBe(0)
})

it('throws an error that came while its reader was busy once that goes on', async () => {
  async function* failing() {
    yield 'a'
    throw new Error('The stream ended early.')
  }
  const merged = mergeAsync([failing()])
  expect(await merged.next()).toMatchObject({ value: 'a' })
  // Node ends a process whose failed promise nobody has seen by then; the runner fails.
  await new Promise(setImmediate)
  await expect(merged.next()).rejects.toThrow('The stream ended early.')
})
