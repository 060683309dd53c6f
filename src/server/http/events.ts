// Ring buffer with the latest events of a session's streams, so that a client can resume after a broken connection.
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

/** Limits for one session. The newest event is kept even if it is larger. */
const maxEvents = 500
const maxChars = 1_000_000

type Replay = Parameters<EventStore['replayEventsAfter']>[1]

interface BufferedEvent {
  number: number
  stream: string
  json: string
}

export type EventBuffer = ReturnType<typeof createEventBuffer>

/**
 * Calls `onStored` for each message. `getStreamIdForEventId` is missing on purpose: with it, a broken connection that the
 * server still considers open would keep the client from resuming; without it, the new connection takes over.
 */
export function createEventBuffer(onStored: (message: JSONRPCMessage) => void) {
  const ring: BufferedEvent[] = []
  let characters = 0
  let count = 0

  function parse(eventId: string): { stream: string; number: number } | undefined {
    const found = /^(.+)_(\d+)$/.exec(eventId)
    const stream = found?.[1]
    // An event that has left the buffer is accepted as long as its stream is known.
    if (!found || !stream || !ring.some(event => event.stream === stream)) return undefined
    return { stream, number: Number(found[2]) }
  }

  return {
    async storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
      const json = JSON.stringify(message)
      const number = ++count
      ring.push({ number, stream, json })
      characters += json.length
      while (ring.length > 1 && (ring.length > maxEvents || characters > maxChars))
        characters -= ring.shift()!.json.length
      onStored(message)
      return `${stream}_${number}`
    },
    /** False if the event's stream is unknown, so that nothing can be replayed. */
    has: (eventId: string): boolean => parse(eventId) !== undefined,
    async replayEventsAfter(eventId: string, { send }: Replay): Promise<string> {
      const last = parse(eventId)
      if (!last) throw new Error('Unknown event.')
      for (const { number, stream, json } of [...ring]) {
        // An empty event only gives a stream its first id.
        const isMissed = stream === last.stream && number > last.number && json !== '{}'
        if (isMissed) await send(`${stream}_${number}`, JSON.parse(json) as JSONRPCMessage)
      }
      return last.stream
    },
  }
}
