// The queue of one process: lanes, so that a voice note does not wait behind hours of audio, and owners in turn.
import type { Delivery, Disposition, JobMessage, Lane, Queue } from '../../domain/queue.ts'

interface Waiting {
  /** How many more tickets may be worked on. */
  room: number
  /** The tickets of each owner who has some, the owner whose turn it is first. */
  waiting: Map<string, JobMessage[]>
}

/** Nobody else is handed what waits in this process, and what it leaves is found in the store. */
const ownHand: Delivery = { async extend() {} }

/** `rooms`: how many tickets of each lane are worked on at once. */
export function inProcessQueue(rooms: Record<Lane, number>): Queue {
  const lanes = { brief: lane(rooms.brief), long: lane(rooms.long), remote: lane(rooms.remote) }
  const laneOf = (ticket: JobMessage) => lanes[ticket.lane]
  const placeOf = ({ owner, id }: JobMessage) => `${owner}/${id}`
  const queued = new Map<string, JobMessage>()
  let work: ((ticket: JobMessage, hand: Delivery) => Promise<Disposition>) | undefined
  let closed = false

  function next(lane: Waiting): void {
    while (work && !closed && lane.room > 0) {
      const ticket = take(lane)
      if (!ticket) return
      queued.delete(placeOf(ticket))
      lane.room--
      void work(ticket, ownHand).finally(() => {
        lane.room++
        next(lane)
      })
    }
  }

  return {
    shared: false,
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

function lane(room: number): Waiting {
  return { room, waiting: new Map() }
}

/** The first ticket of the owner whose turn it is; that owner's turn comes again after all others'. */
function take({ waiting }: Waiting): JobMessage | undefined {
  const [turn] = waiting
  if (!turn) return undefined
  const [owner, [ticket, ...rest]] = turn
  waiting.delete(owner)
  if (rest.length > 0) waiting.set(owner, rest)
  return ticket
}

/** In each round every owner has one turn. */
function positionOf(ticket: JobMessage, waiting: Waiting['waiting']): number {
  const round = waiting.get(ticket.owner)!.indexOf(ticket)
  const owners = [...waiting]
  const turn = owners.findIndex(([owner]) => owner === ticket.owner)
  return owners.reduce((sum, [, tickets], i) => sum + Math.min(tickets.length, round + (i < turn ? 1 : 0)), 0)
}
