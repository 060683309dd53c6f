// Tells open home pages which jobs are under way and how far they are, as a stream of events.
import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Jobs } from '../../../jobs/jobs.ts'
import { log } from '../../../log.ts'

/** How often running jobs are looked at, and how often others are looked for: those of other processes tell nothing here. */
const runningIntervalMs = 1_500
const idleIntervalMs = 5_000
/** A batch may change many times a second. */
const minIntervalMs = 200
/** An event of nothing keeps proxies from closing the stream. */
const maxSilentLooks = 2

const maxStreamsPerOwner = 20

export function createChangeStreams(jobs: Pick<Jobs, 'unfinished' | 'subscribe'>) {
  const open = new Map<string, number>()
  /** Each with the function that wakes it. */
  const streams = new Map<ServerResponse, () => void>()

  async function send(owner: string, outgoing: ServerResponse): Promise<void> {
    let wake = () => {}
    let listChanges = 0
    const unsubscribe = jobs.subscribe(change => {
      if (change.owner !== owner) return
      if (change.listChanged) listChanges++
      wake()
    })
    outgoing.once('close', () => wake())
    streams.set(outgoing, () => wake())
    /** Also where the client has not read the end. */
    const isOver = () => outgoing.writableEnded || outgoing.destroyed
    let last = ''
    let silent = 0
    /** A job that has just begun may be listed a moment later. */
    let hasChanged = false
    try {
      while (!isOver()) {
        const woken = new Promise<void>(resolve => {
          wake = resolve
        })
        const running = await jobs.unfinished(owner).catch(() => undefined)
        const text = running === undefined ? last : JSON.stringify({ running, listChanges })
        if (isOver()) return
        // A page that reads slowly gets the newest state when it reads on.
        if (!outgoing.writableNeedDrain) {
          silent = text === last ? silent + 1 : 0
          if (silent === 0) outgoing.write(`data: ${text}\n\n`)
          else if (silent % maxSilentLooks === 0) outgoing.write(':\n\n')
          last = text
        }
        const isActive = hasChanged || running?.length
        const changed = soon(isActive ? runningIntervalMs : idleIntervalMs, woken)
        await pause(minIntervalMs, undefined, { ref: false })
        hasChanged = await changed
      }
    } finally {
      unsubscribe()
    }
  }

  return {
    /** Answers with the stream; false where the owner has too many. */
    open(owner: string, outgoing: ServerResponse): boolean {
      const count = open.get(owner) ?? 0
      if (count >= maxStreamsPerOwner) return false
      open.set(owner, count + 1)
      outgoing.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
      send(owner, outgoing)
        .catch(error => {
          log.error('http-failed', { error: error instanceof Error ? error.name : typeof error })
          outgoing.destroy()
        })
        .finally(() => {
          streams.delete(outgoing)
          const left = (open.get(owner) ?? 1) - 1
          if (left > 0) open.set(owner, left)
          else open.delete(owner)
        })
      return true
    },
    /** Ends all streams. */
    close(): void {
      for (const [outgoing, wake] of streams) {
        outgoing.end()
        wake()
      }
    },
  }
}

/** Resolves after the time with false, or with true as soon as something has changed. */
function soon(milliseconds: number, changed: Promise<void>): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(false), milliseconds).unref()
    void changed.then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}
