// Event buffers: which events a session can still resume after.
import { expect, it } from 'vitest'
import { createEventBuffers } from '../../../../src/server/http/events.ts'

it('the event buffer keeps the newest events up to its limits of number and size', async () => {
  const ring = createEventBuffers()(() => {})
  const store = (stream: string, size: number) =>
    ring.storeEvent(stream, { jsonrpc: '2.0', method: 'x', params: { text: 'x'.repeat(size) } })
  const few = await store('few', 1)
  for (let i = 0; i < 499; i++) await store('many', 1)
  expect(ring.has(few)).toBe(true)
  const many = await store('many', 1)
  expect(ring.has(few)).toBe(false)
  const large = await store('large', 2_000_000)
  expect([ring.has(many), ring.has(large)]).toEqual([false, true])
})

it('the event buffers of all sessions share one limit, and a session with much gives way to others', async () => {
  const open = createEventBuffers(10_500)
  const store = (ring: ReturnType<typeof open>, stream: string, size: number) =>
    ring.storeEvent(stream, { jsonrpc: '2.0', method: 'x', params: { text: 'x'.repeat(size) } })
  const [small, large, closed] = [open(() => {}), open(() => {}), open(() => {})]
  const few = await store(small, 'few', 1000)
  const old = await store(large, 'old', 4000)
  await store(closed, 'closed', 6000)
  expect([small.has(few), large.has(old)]).toEqual([true, false])
  closed.close()
  const many = await store(large, 'many', 4000)
  const newest = await store(large, 'newest', 4000)
  expect([small.has(few), large.has(many), large.has(newest)]).toEqual([true, true, true])
  const huge = await store(large, 'huge', 20_000)
  expect([large.has(many), large.has(newest), large.has(huge)]).toEqual([false, false, true])
})
