// A client over stdio that asks for more than it reads.
import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { expect, it } from 'vitest'
import { createBackpressure } from '../../../src/server/stdio/backpressure.ts'

const request = (id: number): JSONRPCMessage => ({ jsonrpc: '2.0', id, method: 'ping' })
const answer = (id: number): JSONRPCMessage => ({ jsonrpc: '2.0', id, result: {} })
const cancel = (requestId: number): JSONRPCMessage => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId },
})

/** Receives messages until one has to wait; returns the number of those that did not. */
function receiveAll(output: PassThrough, messages: JSONRPCMessage[]) {
  const backpressure = createBackpressure(output)
  const progress = { count: 0 }
  const done = (async () => {
    for (const message of messages) {
      await backpressure.received(message)
      progress.count++
    }
  })()
  return { backpressure, progress, done }
}

it('the 101st request is read once another one is answered', async () => {
  const all = Array.from({ length: 102 }, (_, id) => request(id))
  const { backpressure, progress, done } = receiveAll(new PassThrough(), all)
  await setImmediate()
  expect(progress.count).toBe(100)
  backpressure.sent(answer(7))
  await setImmediate()
  expect(progress.count).toBe(101)
  backpressure.sent(answer(8))
  await done
})

it('a cancelled request, which is never answered, makes room', async () => {
  const all = [request(1), cancel(1)]
  const { done } = receiveAll(new PassThrough(), Array.from({ length: 200 }, () => all).flat())
  await done
})

it('nothing is read while the client leaves four megabytes of answers unread', async () => {
  const output = new PassThrough()
  output.write(Buffer.alloc(4_100_000))
  const { progress, done } = receiveAll(output, [request(1)])
  await setImmediate()
  expect(progress.count).toBe(0)
  output.resume()
  await done
})
