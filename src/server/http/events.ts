// The latest events of a session's streams, so that a client whose connection broke misses none of them.
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

/** Bounds of one session. The newest event is kept, however large it is. */
const mostEvents = 500
const mostCharacters = 1_000_000

interface Kept {
  number: number
  stream: string
  json: string
}

export interface Events extends EventStore {
  /** False where the event is unknown and its stream has left nothing to replay. */
  knows(eventId: string): boolean
}

/**
 * `onStored` hears of each message. There is no `getStreamIdForEventId` here, on purpose: with it a connection that the
 * client lost and the server still takes for open would keep the client from resuming; without it the new one takes over.
 */
export function ringOfEvents(onStored: (message: JSONRPCMessage) => void): Events {
  const ring: Kept[] = []
  let characters = 0
  let count = 0

  function parse(eventId: string): { stream: string; number: number } | undefined {
    const found = /^(.+)_(\d+)$/.exec(eventId)
    const stream = found?.[1]
    // What fell out of the ring may be named still, as long as its stream is known.
    if (!found || !stream || !ring.some(event => event.stream === stream)) return undefined
    return { stream, number: Number(found[2]) }
  }

  return {
    async storeEvent(stream, message) {
      const json = JSON.stringify(message)
      const number = ++count
      ring.push({ number, stream, json })
      characters += json.length
      while (ring.length > 1 && (ring.length > mostEvents || characters > mostCharacters))
        characters -= ring.shift()!.json.length
      onStored(message)
      return `${stream}_${number}`
    },
    knows: eventId => parse(eventId) !== undefined,
    async replayEventsAfter(eventId, { send }) {
      const last = parse(eventId)
      if (!last) throw new Error('The event is not known.')
      for (const { number, stream, json } of [...ring]) {
        // An empty event only gives a stream its first id.
        const told = stream === last.stream && number > last.number && json !== '{}'
        if (told) await send(`${stream}_${number}`, JSON.parse(json) as JSONRPCMessage)
      }
      return last.stream
    },
  }
}
