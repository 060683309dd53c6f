// Ring buffer with the latest events of a session's streams, so that a client can resume after a broken connection.
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

/** Limits for one session. The newest event is kept even if it is larger. */
const maxEvents = 500
const maxSessionBytes = 1_000_000
/** Limit for all sessions together. */
const maxTotalBytes = 8_000_000
/** Memory of an event beside its text, about. */
const eventBytes = 300

type Replay = Parameters<EventStore['replayEventsAfter']>[1]

interface BufferedEvent {
  number: number
  stream: string
  /** Outside the heap, which V8 would enlarge for as many strings, and outside Node's pool, of which it would keep 8 kB. */
  json: Buffer
}

interface Ring {
  events: BufferedEvent[]
  bytes: number
}

export type EventBuffer = ReturnType<ReturnType<typeof createEventBuffers>>

/** Opens the event buffers of sessions, which share `limit` bytes: the largest buffer gives way first. */
export function createEventBuffers(limit = maxTotalBytes) {
  const rings = new Set<Ring>()
  let total = 0

  function dropOldest(ring: Ring): void {
    const dropped = ring.events.shift()
    if (!dropped) return
    ring.bytes -= sizeOf(dropped)
    total -= sizeOf(dropped)
  }

  function add(ring: Ring, event: BufferedEvent): void {
    if (!rings.has(ring)) return
    ring.events.push(event)
    ring.bytes += sizeOf(event)
    total += sizeOf(event)
    const isOver = () => ring.events.length > maxEvents || ring.bytes > maxSessionBytes
    while (ring.events.length > 1 && isOver()) dropOldest(ring)
    // The event itself stays.
    const spare = (one: Ring) => (one === ring ? one.bytes - sizeOf(event) : one.bytes)
    while (total > limit) {
      const largest = [...rings].reduce((one, other) => (spare(other) > spare(one) ? other : one))
      if (spare(largest) === 0) return
      dropOldest(largest)
    }
  }

  return (onStored: (message: JSONRPCMessage) => void) => {
    const ring: Ring = { events: [], bytes: 0 }
    rings.add(ring)
    const close = () => {
      rings.delete(ring)
      total -= ring.bytes
    }
    return { ...createEventBuffer(ring, event => add(ring, event), onStored), close }
  }
}

/**
 * Calls `onStored` for each message. `getStreamIdForEventId` is missing on purpose: with it, a broken connection that the
 * server still considers open would keep the client from resuming; without it, the new connection takes over.
 */
function createEventBuffer(
  { events }: Ring,
  add: (event: BufferedEvent) => void,
  onStored: (message: JSONRPCMessage) => void,
) {
  let count = 0

  function parse(eventId: string): { stream: string; number: number } | undefined {
    const found = /^(.+)_(\d+)$/.exec(eventId)
    const stream = found?.[1]
    // An event that has left the buffer is accepted as long as its stream is known.
    if (!found || !stream || !events.some(event => event.stream === stream)) return undefined
    return { stream, number: Number(found[2]) }
  }

  return {
    async storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
      const number = ++count
      add({ number, stream, json: encode(message) })
      onStored(message)
      return `${stream}_${number}`
    },
    /** False if the event's stream is unknown, so that nothing can be replayed. */
    has: (eventId: string): boolean => parse(eventId) !== undefined,
    async replayEventsAfter(eventId: string, { send }: Replay): Promise<string> {
      const last = parse(eventId)
      if (!last) throw new Error('Unknown event.')
      for (const { number, stream, json } of [...events]) {
        // An empty event only gives a stream its first id.
        const isMissed = stream === last.stream && number > last.number && json.length > 2
        if (isMissed) await send(`${stream}_${number}`, JSON.parse(json.toString()) as JSONRPCMessage)
      }
      return last.stream
    },
  }
}

function sizeOf({ json }: BufferedEvent): number {
  return eventBytes + json.length
}

function encode(message: JSONRPCMessage): Buffer {
  const text = JSON.stringify(message)
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}
