// The queue of one process: three lanes, each ticket once, and owners in turn.
import { describe, expect, it, vi } from 'vitest'
import type { JobMessage, Lane } from '../../src/domain/queue.ts'
import { inProcessQueue } from '../../src/drivers/queue/in-process.ts'
import { queueContract } from '../support/contracts/queue.ts'

const ticket = (id: string, owner = 'ann', lane: Lane = 'long'): JobMessage => ({ id, owner, lane })
const settled = () => new Promise(resolve => setImmediate(resolve))

/** A queue whose work is done when the test says so; `started` tells in which order it was handed out. */
function watched(rooms = { brief: 1, long: 1, remote: 1 }) {
  const queue = inProcessQueue(rooms)
  const started: string[] = []
  const ends = new Map<string, () => void>()
  return {
    queue,
    started,
    serve: () =>
      queue.serve(({ owner, id }) => {
        started.push(id)
        return new Promise(resolve => ends.set(`${owner}/${id}`, () => resolve('done')))
      }),
    async send(...tickets: JobMessage[]) {
      for (const one of tickets) await queue.send(one)
    },
    async end(id: string, owner = 'ann') {
      ends.get(`${owner}/${id}`)!()
      await settled()
    },
    /** Ends whatever runs until nothing is left. */
    async drain() {
      while (ends.size > 0) {
        const [[place, end]] = [...ends] as [[string, () => void]]
        ends.delete(place)
        end()
        await settled()
      }
    },
  }
}

describe('a ticket', () => {
  it('that came before anyone serves waits for that', async () => {
    const { send, serve, started } = watched()
    await send(ticket('a'))
    serve()
    expect(started).toEqual(['a'])
  })

  it('is handed out after those of its owner that came before', async () => {
    const { send, serve, started, drain } = watched()
    serve()
    await send(ticket('a'), ticket('b'), ticket('c'))
    await drain()
    expect(started).toEqual(['a', 'b', 'c'])
  })

  it('that waits already is not queued twice', async () => {
    const { send, serve, started, drain } = watched()
    await send(ticket('a'), ticket('b'), ticket('b'), ticket('b', 'ann', 'brief'))
    serve()
    await drain()
    expect(started).toEqual(['a', 'b'])
  })

  it('that is being worked on may be queued again', async () => {
    const { send, serve, started, drain } = watched()
    serve()
    await send(ticket('a'), ticket('a'))
    await drain()
    expect(started).toEqual(['a', 'a'])
  })

  it('of another owner with the same id is another ticket', async () => {
    const { send, serve, started, drain } = watched()
    await send(ticket('a', 'ann'), ticket('a', 'bob'))
    serve()
    await drain()
    expect(started).toEqual(['a', 'a'])
  })
})

describe('a lane', () => {
  it('works on so many at once and no more', async () => {
    const { send, serve, started, end } = watched({ brief: 1, long: 2, remote: 1 })
    serve()
    await send(ticket('a'), ticket('b'), ticket('c'), ticket('d'))
    expect(started).toEqual(['a', 'b'])
    await end('b')
    expect(started).toEqual(['a', 'b', 'c'])
  })

  it('that is full does not hold up the others', async () => {
    const { send, serve, started } = watched()
    serve()
    await send(ticket('hours'), ticket('more-hours'), ticket('note', 'ann', 'brief'))
    await send(ticket('task', 'ann', 'remote'), ticket('another-task', 'ann', 'remote'))
    expect(started).toEqual(['hours', 'note', 'task'])
  })
})

describe('owners', () => {
  it('take turns, so that a hundred tickets of one do not hold up the one of another', async () => {
    const { send, serve, started, drain } = watched()
    serve()
    await send(...Array.from({ length: 100 }, (_, i) => ticket(`a${i}`)))
    await send(ticket('b0', 'bob'), ticket('c0', 'cid'), ticket('b1', 'bob'))
    await drain()
    expect(started.slice(0, 7)).toEqual(['a0', 'a1', 'b0', 'c0', 'a2', 'b1', 'a3'])
    expect(started).toHaveLength(103)
  })

  it('are told how many of theirs wait, in all lanes', async () => {
    const { queue, send } = watched()
    await send(ticket('a'), ticket('b', 'ann', 'brief'), ticket('d', 'ann', 'remote'), ticket('c', 'bob'))
    expect([queue.waiting('ann'), queue.waiting('bob'), queue.waiting('cid')]).toEqual([3, 1, 0])
  })
})

describe('the number of tickets ahead', () => {
  it('is that of those that are handed out before it', async () => {
    const { queue, send, serve, started, drain } = watched()
    await send(...['a0', 'a1', 'a2', 'a3'].map(id => ticket(id)))
    await send(...['b0', 'b1'].map(id => ticket(id, 'bob')), ticket('c0', 'cid'))
    const ids = ['a0', 'a1', 'a2', 'a3', 'b0', 'b1', 'c0']
    const ahead = new Map(ids.map(id => [id, queue.ahead(id)]))
    serve()
    await drain()
    expect(started).toHaveLength(7)
    for (const [place, id] of started.entries()) expect([id, ahead.get(id)]).toEqual([id, place])
  })

  it('counts its own lane alone', async () => {
    const { queue, send } = watched()
    await send(ticket('a'), ticket('b'), ticket('note', 'ann', 'brief'))
    expect(queue.ahead('note')).toBe(0)
  })

  it('is undefined for one that is worked on, and for one that never came', async () => {
    const { queue, send, serve } = watched()
    serve()
    await send(ticket('a'))
    expect([queue.ahead('a'), queue.ahead('nobody')]).toEqual([undefined, undefined])
  })
})

describe('a closed queue', () => {
  it('hands out nothing more, neither what waits nor what comes', async () => {
    const { queue, send, serve, started, end } = watched()
    serve()
    await send(ticket('a'), ticket('b'))
    await queue.close()
    await send(ticket('c'), ticket('note', 'ann', 'brief'))
    await end('a')
    expect(started).toEqual(['a'])
    expect([queue.ahead('c'), queue.ahead('note')]).toEqual([undefined, undefined])
  })

  it('does not wait for what is worked on', async () => {
    const { queue, send, serve } = watched()
    const closed = vi.fn()
    serve()
    await send(ticket('a'))
    await queue.close().then(closed)
    expect(closed).toHaveBeenCalledOnce()
  })
})

queueContract('the queue of one process', async () => ({
  open: places => inProcessQueue({ brief: places - 1, long: places - 1, remote: places - 1 }),
  remove: async () => {},
}))
