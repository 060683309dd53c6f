// In-process queue: priority lanes, so that a voice note does not wait behind hours of audio, and round robin over owners.
import type { Delivery, Disposition, JobMessage, Lane, Queue } from '../../domain/queue.ts'

/** In a full lane, as many owners with nothing in it may start one message each. Long recordings would slow all others. */
const hasGuestPlaces: Record<Lane, boolean> = { short: true, long: false, remote: false }

interface LaneState {
  /** How many more messages may be worked on; less than 0 with guests. */
  free: number
  guestPlaces: number
  /** Number of messages in progress of each owner that has some. */
  running: Map<string, number>
  /** Waiting messages by owner; the next owner comes first. */
  waiting: Map<string, JobMessage[]>
}

type Work = (message: JobMessage, delivery: Delivery) => Promise<Disposition>

/** No other process receives these messages, and recovery finds unfinished jobs in the store. */
const localDelivery: Delivery = { async extend() {} }

/** `concurrency`: how many messages of each lane are worked on at once. */
export function inProcessQueue(concurrency: Record<Lane, number>): Queue {
  const createLane = (lane: Lane): LaneState => ({
    free: concurrency[lane],
    guestPlaces: hasGuestPlaces[lane] ? concurrency[lane] : 0,
    running: new Map(),
    waiting: new Map(),
  })
  const lanes = { short: createLane('short'), long: createLane('long'), remote: createLane('remote') }
  const keyOf = ({ owner, id }: JobMessage) => `${owner}/${id}`
  const queued = new Map<string, JobMessage>()
  let work: Work | undefined
  let closed = false

  function dispatch(lane: LaneState): void {
    while (work && !closed) {
      const message = take(lane)
      if (!message) return
      queued.delete(keyOf(message))
      const { owner } = message
      lane.free--
      lane.running.set(owner, (lane.running.get(owner) ?? 0) + 1)
      void work(message, localDelivery).finally(() => {
        lane.free++
        const left = lane.running.get(owner)! - 1
        if (left > 0) lane.running.set(owner, left)
        else lane.running.delete(owner)
        dispatch(lane)
      })
    }
  }

  return {
    shared: false,
    async send(message) {
      const key = keyOf(message)
      if (queued.has(key) || closed) return
      queued.set(key, message)
      const lane = lanes[message.lane]
      lane.waiting.set(message.owner, [...(lane.waiting.get(message.owner) ?? []), message])
      dispatch(lane)
    },
    serve(handler) {
      work = handler
      for (const lane of Object.values(lanes)) dispatch(lane)
    },
    ahead(id) {
      const message = [...queued.values()].find(message => message.id === id)
      return message && positionOf(message, lanes[message.lane].waiting)
    },
    waiting: owner =>
      Object.values(lanes).reduce((sum, { waiting }) => sum + (waiting.get(owner)?.length ?? 0), 0),
    async close() {
      closed = true
    },
  }
}

/** Takes the first message of the next owner who may start one, and moves that owner to the end. */
function take({ free, guestPlaces, running, waiting }: LaneState): JobMessage | undefined {
  const hasGuestPlace = free + guestPlaces > 0
  const next = [...waiting].find(([owner]) => free > 0 || (hasGuestPlace && !running.has(owner)))
  if (!next) return undefined
  const [owner, [message, ...rest]] = next
  waiting.delete(owner)
  if (rest.length > 0) waiting.set(owner, rest)
  return message
}

/** Each round serves every owner once. */
function positionOf(message: JobMessage, waiting: LaneState['waiting']): number {
  const round = waiting.get(message.owner)!.indexOf(message)
  const owners = [...waiting]
  const rank = owners.findIndex(([owner]) => owner === message.owner)
  const before = owners.map(([, messages], i) => Math.min(messages.length, round + (i < rank ? 1 : 0)))
  return before.reduce((sum, count) => sum + count, 0)
}
