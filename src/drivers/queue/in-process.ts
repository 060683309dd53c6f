// The queue of a single process: two lanes, so that a voice note does not wait behind hours of audio.
import type { Queue, Ticket } from '../../domain/ports.ts'

export interface InProcessOptions {
  /** How many tickets of each kind are worked on at once. */
  brief: number
  long: number
}

export function inProcessQueue({ brief, long }: InProcessOptions): Queue {
  const lanes = { brief: createLane(brief), long: createLane(long) }
  const laneOf = (ticket: Ticket) => (ticket.brief ? lanes.brief : lanes.long)
  return {
    async send(ticket) {
      const waits = lanes.brief.ahead(ticket.id) ?? lanes.long.ahead(ticket.id)
      if (waits === undefined) laneOf(ticket).add(ticket)
    },
    serve(work) {
      lanes.brief.serve(work)
      lanes.long.serve(work)
    },
    ahead: id => lanes.brief.ahead(id) ?? lanes.long.ahead(id),
    waiting: owner => lanes.brief.waiting(owner) + lanes.long.waiting(owner),
    async close() {
      lanes.brief.close()
      lanes.long.close()
    },
  }
}

type Work = (ticket: Ticket) => Promise<void>

interface Lane {
  add(ticket: Ticket): void
  serve(work: Work): void
  ahead(id: string): number | undefined
  waiting(owner: string): number
  close(): void
}

/** First in, first out for each owner; owners take turns, so that one's hundred tickets hold up nobody else's one. */
function createLane(places: number): Lane {
  /** What waits, by owner, in the order in which the owners have their turn; nobody's list is empty. */
  const waiting = new Map<string, Ticket[]>()
  let working = 0
  let work: Work | undefined

  function next(): void {
    while (work && working < places && waiting.size > 0) {
      working++
      work(take()).finally(() => {
        working--
        next()
      })
    }
  }

  function take(): Ticket {
    const [owner, [ticket, ...rest]] = waiting.entries().next().value!
    waiting.delete(owner)
    if (rest.length > 0) waiting.set(owner, rest)
    return ticket!
  }

  return {
    add(ticket) {
      const mine = waiting.get(ticket.owner)
      if (mine) mine.push(ticket)
      else waiting.set(ticket.owner, [ticket])
      next()
    },
    serve(given) {
      work = given
      next()
    },
    /** Each owner before this one has a turn more than those after it, until the ticket's own turn comes. */
    ahead(id) {
      const lists = [...waiting.values()]
      const turn = lists.findIndex(list => list.some(ticket => ticket.id === id))
      if (turn < 0) return undefined
      const before = lists[turn]!.findIndex(ticket => ticket.id === id)
      const others = lists.map(({ length }, i) => Math.min(length, i < turn ? before + 1 : before))
      return others.reduce((sum, count) => sum + count)
    },
    waiting: owner => waiting.get(owner)?.length ?? 0,
    close() {
      work = undefined
      waiting.clear()
    },
  }
}
