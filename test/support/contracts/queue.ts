// Contract of the `Queue` port: every driver runs this suite in one line.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Disposition, JobMessage, Queue } from '../../../src/domain/queue.ts'
import { createLatch } from '../jobs/harness.ts'

/** An empty queue service. Messages are about jobs of `ann`. */
export interface QueueService {
  /** A queue that works on this many messages at once and keeps a slot for each lane. */
  open(concurrency: number): Queue
  remove(): Promise<void>
}

const patiently = { interval: 5 }

function message(id: string, lane: JobMessage['lane'] = 'long'): JobMessage {
  return { id, owner: 'ann', lane }
}

export function queueContract(name: string, createService: () => Promise<QueueService>): void {
  describe(`${name} fulfils the queue contract:`, () => {
    let service: QueueService
    let opened: Queue[]

    beforeEach(async () => {
      service = await createService()
      opened = []
    })
    afterEach(async () => {
      for (const queue of opened) await queue.close()
      await service.remove()
    })

    function open(concurrency = 4): Queue {
      const queue = service.open(concurrency)
      opened.push(queue)
      return queue
    }

    /** Ids of the delivered messages; each is worked on until `work` resolves. */
    function serve(queue: Queue, work: (message: JobMessage) => Promise<unknown> = async () => {}): string[] {
      const delivered: string[] = []
      queue.serve(async (message): Promise<Disposition> => {
        delivered.push(message.id)
        await work(message)
        return 'ack'
      })
      return delivered
    }

    it('a message is delivered with its owner and lane', async () => {
      const queue = open()
      const delivered: JobMessage[] = []
      queue.serve(async message => {
        delivered.push(message)
        return 'ack'
      })
      await queue.send(message('a', 'short'))
      await queue.send(message('b', 'long'))
      await vi.waitFor(() => expect(delivered).toHaveLength(2), patiently)
      expect(delivered.sort((one, other) => (one.id < other.id ? -1 : 1))).toEqual([
        message('a', 'short'),
        message('b', 'long'),
      ])
    })

    it('a message sent before the first worker is delivered to it later', async () => {
      const queue = open()
      await queue.send(message('a'))
      const delivered = serve(queue)
      await vi.waitFor(() => expect(delivered).toEqual(['a']), patiently)
    })

    it('several messages are worked on at once', async () => {
      const queue = open(4)
      const { open: release, opened: released } = createLatch()
      const delivered = serve(queue, () => released)
      for (const id of ['a', 'b', 'c']) await queue.send(message(id))
      await vi.waitFor(() => expect(delivered.toSorted()).toEqual(['a', 'b', 'c']), patiently)
      release()
    })

    it('a voice note does not wait behind hours of audio', async () => {
      const queue = open(3)
      const { open: release, opened: released } = createLatch()
      const delivered = serve(queue, ({ lane }) => (lane === 'long' ? released : Promise.resolve()))
      for (const id of ['a', 'b', 'c', 'd']) await queue.send(message(id))
      await vi.waitFor(() => expect(delivered).toHaveLength(2), patiently)
      await queue.send(message('note', 'short'))
      await vi.waitFor(() => expect(delivered).toContain('note'), patiently)
      release()
      await vi.waitFor(() => expect(delivered.toSorted()).toEqual(['a', 'b', 'c', 'd', 'note']), patiently)
    })

    it('hours of audio do not wait behind many voice notes', async () => {
      const queue = open(3)
      const { open: release, opened: released } = createLatch()
      const delivered = serve(queue, ({ lane }) => (lane === 'short' ? released : Promise.resolve()))
      for (const id of ['a', 'b', 'c', 'd']) await queue.send(message(id, 'short'))
      await vi.waitFor(() => expect(delivered).toHaveLength(2), patiently)
      await queue.send(message('talk'))
      await vi.waitFor(() => expect(delivered).toContain('talk'), patiently)
      release()
    })

    it('each acknowledged message is delivered once', async () => {
      const queue = open(3)
      const delivered = serve(queue)
      const ids = Array.from({ length: 30 }, (_, i) => `t${String(i).padStart(2, '0')}`)
      await Promise.all(ids.map((id, i) => queue.send(message(id, i % 2 ? 'short' : 'long'))))
      await vi.waitFor(() => expect(delivered).toHaveLength(30), patiently)
      expect(delivered.toSorted()).toEqual(ids)
    })

    it('a closing queue finishes its current work and delivers nothing more', async () => {
      const queue = open(2)
      const { open: release, opened: released } = createLatch()
      let ended = false
      const delivered = serve(queue, async () => {
        await released
        ended = true
      })
      await queue.send(message('a'))
      await vi.waitFor(() => expect(delivered).toEqual(['a']), patiently)
      const closed = queue.close()
      await queue.send(message('b')).catch(() => {})
      release()
      await closed
      await vi.waitFor(() => expect(ended).toBe(true), patiently)
      expect(delivered).toEqual(['a'])
    })

    it('a queue can be closed twice, also without any use', async () => {
      const queue = open()
      await queue.close()
      await queue.close()
    })
  })
}
