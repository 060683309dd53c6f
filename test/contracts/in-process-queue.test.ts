// The in-process queue: three lanes, each message once, and round robin over owners.
import { describe, expect, it, vi } from 'vitest'
import type { JobMessage, Lane } from '../../src/domain/queue.ts'
import { inProcessQueue } from '../../src/drivers/queue/in-process.ts'
import { queueContract } from '../support/contracts/queue.ts'

const message = (id: string, owner = 'ann', lane: Lane = 'long'): JobMessage => ({ id, owner, lane })
const nextTick = () => new Promise(resolve => setImmediate(resolve))

/** A queue whose work ends when the test calls `end`; `started` lists the ids in order of delivery. */
function controlledQueue(concurrency = { short: 1, long: 1, remote: 1 }) {
  const queue = inProcessQueue(concurrency)
  const started: string[] = []
  const ends = new Map<string, () => void>()
  return {
    queue,
    started,
    serve: () =>
      queue.serve(({ owner, id }) => {
        started.push(id)
        return new Promise(resolve => ends.set(`${owner}/${id}`, () => resolve('ack')))
      }),
    async send(...messages: JobMessage[]) {
      for (const one of messages) await queue.send(one)
    },
    async end(id: string, owner = 'ann') {
      ends.get(`${owner}/${id}`)!()
      await nextTick()
    },
    /** Ends all work until none is left. */
    async drain() {
      while (ends.size > 0) {
        const [[key, end]] = [...ends] as [[string, () => void]]
        ends.delete(key)
        end()
        await nextTick()
      }
    },
  }
}

describe('messages of the in-process queue', () => {
  it('a message sent before the first worker waits for it', async () => {
    const { send, serve, started } = controlledQueue()
    await send(message('a'))
    serve()
    expect(started).toEqual(['a'])
  })

  it('messages of one owner are delivered in the order of arrival', async () => {
    const { send, serve, started, drain } = controlledQueue()
    serve()
    await send(message('a'), message('b'), message('c'))
    await drain()
    expect(started).toEqual(['a', 'b', 'c'])
  })

  it('a message that is already waiting is not queued twice', async () => {
    const { send, serve, started, drain } = controlledQueue()
    await send(message('a'), message('b'), message('b'), message('b', 'ann', 'short'))
    serve()
    await drain()
    expect(started).toEqual(['a', 'b'])
  })

  it('a message in progress can be queued again', async () => {
    const { send, serve, started, drain } = controlledQueue()
    serve()
    await send(message('a'), message('a'))
    await drain()
    expect(started).toEqual(['a', 'a'])
  })

  it('equal ids of two owners make two messages', async () => {
    const { send, serve, started, drain } = controlledQueue()
    await send(message('a', 'ann'), message('a', 'bob'))
    serve()
    await drain()
    expect(started).toEqual(['a', 'a'])
  })
})

describe('lanes of the in-process queue', () => {
  it('a lane never exceeds its concurrency', async () => {
    const { send, serve, started, end } = controlledQueue({ short: 1, long: 2, remote: 1 })
    serve()
    await send(message('a'), message('b'), message('c'), message('d'))
    expect(started).toEqual(['a', 'b'])
    await end('b')
    expect(started).toEqual(['a', 'b', 'c'])
  })

  it('a full lane does not block the other lanes', async () => {
    const { send, serve, started } = controlledQueue()
    serve()
    await send(message('hours'), message('more-hours'), message('note', 'ann', 'short'))
    await send(message('task', 'ann', 'remote'), message('another-task', 'ann', 'remote'))
    expect(started).toEqual(['hours', 'note', 'task'])
  })
})

describe('owners in the in-process queue', () => {
  it('owners take turns, so that a hundred messages of one owner do not block another', async () => {
    const { send, serve, started, drain } = controlledQueue()
    serve()
    await send(...Array.from({ length: 100 }, (_, i) => message(`a${i}`)))
    await send(message('b0', 'bob'), message('c0', 'cid'), message('b1', 'bob'))
    await drain()
    expect(started.slice(0, 7)).toEqual(['a0', 'a1', 'b0', 'c0', 'a2', 'b1', 'a3'])
    expect(started).toHaveLength(103)
  })

  it('a voice note of an owner who has none in progress starts at once, also where another owner has filled the lane', async () => {
    const { send, serve, started, end } = controlledQueue({ short: 2, long: 1, remote: 1 })
    serve()
    await send(...['a', 'b', 'c', 'd'].map(id => message(id, 'ann', 'short')))
    await send(message('e', 'ben', 'short'), message('f', 'ben', 'short'))
    expect(started).toEqual(['a', 'b', 'e'])
    // The place of a guest is no place of the lane.
    await end('e', 'ben')
    expect(started).toEqual(['a', 'b', 'e', 'f'])
    await end('a')
    expect(started).toEqual(['a', 'b', 'e', 'f'])
    await end('f', 'ben')
    expect(started).toEqual(['a', 'b', 'e', 'f', 'c'])
  })

  it('a long recording has no place beside a full lane', async () => {
    const { send, serve, started } = controlledQueue()
    serve()
    await send(message('a'), message('b', 'ben'))
    expect(started).toEqual(['a'])
  })

  it('the number of waiting messages of an owner covers all lanes', async () => {
    const { queue, send } = controlledQueue()
    await send(message('a'), message('b', 'ann', 'short'), message('d', 'ann', 'remote'), message('c', 'bob'))
    expect([queue.waiting('ann'), queue.waiting('bob'), queue.waiting('cid')]).toEqual([3, 1, 0])
  })
})

describe('the number of messages ahead', () => {
  it('the number of messages ahead equals the later order of delivery', async () => {
    const { queue, send, serve, started, drain } = controlledQueue()
    await send(...['a0', 'a1', 'a2', 'a3'].map(id => message(id)))
    await send(...['b0', 'b1'].map(id => message(id, 'bob')), message('c0', 'cid'))
    const ids = ['a0', 'a1', 'a2', 'a3', 'b0', 'b1', 'c0']
    const ahead = new Map(ids.map(id => [id, queue.ahead(id)]))
    serve()
    await drain()
    expect(started).toHaveLength(7)
    for (const [position, id] of started.entries()) expect([id, ahead.get(id)]).toEqual([id, position])
  })

  it('the number of messages ahead counts only the lane of the message', async () => {
    const { queue, send } = controlledQueue()
    await send(message('a'), message('b'), message('note', 'ann', 'short'))
    expect(queue.ahead('note')).toBe(0)
  })

  it('the number of messages ahead is undefined for a message in progress and for an unknown id', async () => {
    const { queue, send, serve } = controlledQueue()
    serve()
    await send(message('a'))
    expect([queue.ahead('a'), queue.ahead('unknown')]).toEqual([undefined, undefined])
  })
})

describe('a closed in-process queue', () => {
  it('a closed queue delivers neither waiting nor new messages', async () => {
    const { queue, send, serve, started, end } = controlledQueue()
    serve()
    await send(message('a'), message('b'))
    await queue.close()
    await send(message('c'), message('note', 'ann', 'short'))
    await end('a')
    expect(started).toEqual(['a'])
    expect([queue.ahead('c'), queue.ahead('note')]).toEqual([undefined, undefined])
  })

  it('closing does not wait for work in progress', async () => {
    const { queue, send, serve } = controlledQueue()
    const closed = vi.fn()
    serve()
    await send(message('a'))
    await queue.close().then(closed)
    expect(closed).toHaveBeenCalledOnce()
  })
})

queueContract('the in-process queue', async () => ({
  open: concurrency =>
    inProcessQueue({ short: concurrency - 1, long: concurrency - 1, remote: concurrency - 1 }),
  remove: async () => {},
}))
