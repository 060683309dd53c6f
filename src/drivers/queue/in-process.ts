// The queue of one process: two lanes, so that a voice note does not wait behind hours of audio, and owners in turn.
import type { Queue, Ticket } from '../../domain/ports.ts'

/** How many tickets of each lane are worked on at once. */
export interface Lanes {
  brief: number
  long: number
}

interface Lane {
  room: number
  /** The tickets of each owner who has some, the owner whose turn it is first. */
  waiting: Map<string, Ticket[]>
}

export function inProcessQueue({ brief, long }: Lanes): Queue {
  const lanes = { brief: lane(brief), long: lane(long) }
  const laneOf = (ticket: Ticket) => (ticket.brief ? lanes.brief : lanes.long)
  const placeOf = ({ owner, id }: Ticket) => `${owner}/${id}`
  const queued = new Map<string, Ticket>()
  let work: ((ticket: Ticket) => Promise<void>) | undefined
  let closed = false

  function next(lane: Lane): void {
    while (work && !closed && lane.room > 0) {
      const ticket = take(lane)
      if (!ticket) return
      queued.delete(placeOf(ticket))
      lane.room--
      void work(ticket).finally(() => {
        lane.room++
        next(lane)
      })
    }
  }

  return {
    async send(ticket) {
      const place = placeOf(ticket)
      if (queued.has(place) || closed) return
      queued.set(place, ticket)
      const { waiting } = laneOf(ticket)
      waiting.set(ticket.owner, [...(waiting.get(ticket.owner) ?? []), ticket])
      next(laneOf(ticket))
    },
    serve(handler) {
      work = handler
      for (const lane of Object.values(lanes)) next(lane)
    },
    ahead(id) {
      const ticket = [...queued.values()].find(ticket => ticket.id === id)
      return ticket && positionOf(ticket, laneOf(ticket).waiting)
    },
    waiting: owner =>
      Object.values(lanes).reduce((sum, { waiting }) => sum + (waiting.get(owner)?.length ?? 0), 0),
    async close() {
      closed = true
    },
  }
}

function lane(room: number): Lane {
  return { room, waiting: new Map() }
}

/** The first ticket of the owner whose turn it is; that owner's turn comes again after all others'. */
function take({ waiting }: Lane): Ticket | undefined {
  const [turn] = waiting
  if (!turn) return undefined
  const [owner, [ticket, ...rest]] = turn
  waiting.delete(owner)
  if (rest.length > 0) waiting.set(owner, rest)
  return ticket
}

/** In each round every owner has one turn. */
function positionOf(ticket: Ticket, waiting: Map<string, Ticket[]>): number {
  const round = waiting.get(ticket.owner)!.indexOf(ticket)
  const owners = [...waiting]
  const turn = owners.findIndex(([owner]) => owner === ticket.owner)
  return owners.reduce((sum, [, tickets], i) => sum + Math.min(tickets.length, round + (i < turn ? 1 : 0)), 0)
}
