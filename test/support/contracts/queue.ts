// What every driver of the `Queue` port must do; a driver's test file runs it in one line.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Disposition, JobMessage, Queue } from '../../../src/domain/queue.ts'
import { createLatch } from '../jobs/harness.ts'

/** A place for tickets, empty at first; what is sent is of jobs of `ann`. */
export interface QueuePlace {
  /** A queue that works on so many tickets at once, of which one is left to each lane. */
  open(places: number): Queue
  remove(): Promise<void>
}

const patient = { timeout: 10_000, interval: 5 }

function ticket(id: string, lane: JobMessage['lane'] = 'long'): JobMessage {
  return { id, owner: 'ann', lane }
}

export function queueContract(name: string, createPlace: () => Promise<QueuePlace>): void {
  describe(`${name} keeps the contract of a queue:`, () => {
    let place: QueuePlace
    let opened: Queue[]

    beforeEach(async () => {
      place = await createPlace()
      opened = []
    })
    afterEach(async () => {
      for (const queue of opened) await queue.close()
      await place.remove()
    })

    function open(places = 4): Queue {
      const queue = place.open(places)
      opened.push(queue)
      return queue
    }

    /** Serves with the ids of what is handed out noted; the work goes on until `hold` resolves. */
    function serve(queue: Queue, hold: (ticket: JobMessage) => Promise<unknown> = async () => {}): string[] {
      const handed: string[] = []
      queue.serve(async (ticket): Promise<Disposition> => {
        handed.push(ticket.id)
        await hold(ticket)
        return 'done'
      })
      return handed
    }

    it('what is sent is handed out, with whose it is', async () => {
      const queue = open()
      const handed: JobMessage[] = []
      queue.serve(async ticket => {
        handed.push(ticket)
        return 'done'
      })
      await queue.send(ticket('a', 'brief'))
      await queue.send(ticket('b', 'long'))
      await vi.waitFor(() => expect(handed).toHaveLength(2), patient)
      expect(handed.sort((one, other) => (one.id < other.id ? -1 : 1))).toEqual([
        ticket('a', 'brief'),
        ticket('b', 'long'),
      ])
    })

    it('what is sent before anybody serves is handed out then', async () => {
      const queue = open()
      await queue.send(ticket('a'))
      const handed = serve(queue)
      await vi.waitFor(() => expect(handed).toEqual(['a']), patient)
    })

    it('several are worked on at once', async () => {
      const queue = open(4)
      const { open: release, opened: released } = createLatch()
      const handed = serve(queue, () => released)
      for (const id of ['a', 'b', 'c']) await queue.send(ticket(id))
      await vi.waitFor(() => expect(handed.toSorted()).toEqual(['a', 'b', 'c']), patient)
      release()
    })

    it('a voice note does not wait behind hours of audio', async () => {
      const queue = open(3)
      const { open: release, opened: released } = createLatch()
      const handed = serve(queue, ({ lane }) => (lane === 'long' ? released : Promise.resolve()))
      for (const id of ['a', 'b', 'c', 'd']) await queue.send(ticket(id))
      await vi.waitFor(() => expect(handed).toHaveLength(2), patient)
      await queue.send(ticket('note', 'brief'))
      await vi.waitFor(() => expect(handed).toContain('note'), patient)
      release()
      await vi.waitFor(() => expect(handed.toSorted()).toEqual(['a', 'b', 'c', 'd', 'note']), patient)
    })

    it('nor do hours of audio wait behind many voice notes', async () => {
      const queue = open(3)
      const { open: release, opened: released } = createLatch()
      const handed = serve(queue, ({ lane }) => (lane === 'brief' ? released : Promise.resolve()))
      for (const id of ['a', 'b', 'c', 'd']) await queue.send(ticket(id, 'brief'))
      await vi.waitFor(() => expect(handed).toHaveLength(2), patient)
      await queue.send(ticket('talk'))
      await vi.waitFor(() => expect(handed).toContain('talk'), patient)
      release()
    })

    it('each is worked on once where it was sent once', async () => {
      const queue = open(3)
      const handed = serve(queue)
      const ids = Array.from({ length: 30 }, (_, i) => `t${String(i).padStart(2, '0')}`)
      await Promise.all(ids.map((id, i) => queue.send(ticket(id, i % 2 ? 'brief' : 'long'))))
      await vi.waitFor(() => expect(handed).toHaveLength(30), patient)
      expect(handed.toSorted()).toEqual(ids)
    })

    it('what is in hand ends in peace, and nothing more is handed out', async () => {
      const queue = open(2)
      const { open: release, opened: released } = createLatch()
      let ended = false
      const handed = serve(queue, async () => {
        await released
        ended = true
      })
      await queue.send(ticket('a'))
      await vi.waitFor(() => expect(handed).toEqual(['a']), patient)
      const closed = queue.close()
      await queue.send(ticket('b')).catch(() => {})
      release()
      await closed
      await vi.waitFor(() => expect(ended).toBe(true), patient)
      expect(handed).toEqual(['a'])
    })

    it('closing twice, or before anything, is no error', async () => {
      const queue = open()
      await queue.close()
      await queue.close()
    })
  })
}
