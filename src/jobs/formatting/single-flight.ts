// Single flight: calls for the same work join one execution, which outlives them in this process.
import { setMaxListeners } from 'node:events'
import { cancelled, SpeechError } from '../../domain/errors.ts'
import type { Progress } from '../../domain/job.ts'
import type { JobBasis } from '../context.ts'
import { createWaiters } from '../records/waiters.ts'
import { handleDisconnect, type WatchOptions } from '../watch.ts'

/** Calls with equal keys share one execution. */
export interface FlightKey {
  owner: string
  /** Id of the object that is worked on: `stop` ends all work on it. */
  subject: string
  options: string
}

export interface FlightRun<Result> {
  signal: AbortSignal
  progress(update: Progress): void
  /** Sets the function that returns the result so far, for a caller whose time is up. */
  setPartial(result: () => Result): void
}

type Outcome<Result> = { result: Result } | { error: unknown }

type Work<Result> = (run: FlightRun<Result>) => Promise<Result>

interface Flight<Result> extends FlightKey {
  abort: AbortController
  progress: Progress
  partial?: () => Result
  /** Set when the work is over. */
  outcome?: Outcome<Result>
  ended: Promise<void>
  /** Drops the outcome when no caller has taken it. */
  expiry?: NodeJS.Timeout
}

/** Changes are published as they happen; as a safety net the flight is looked at in this interval. */
const pollIntervalMs = 5_000

export interface FlightOptions {
  /** Under way at the same time. */
  maxPerOwner: number
  /** Sentence of the error `BUSY` beyond that. */
  busy: string
  /** An outcome without a waiting caller is kept for this long. */
  outcomeMs: number
}

export function createSingleFlight<Result>(
  { changes, closing }: JobBasis,
  { maxPerOwner, busy, outcomeMs }: FlightOptions,
) {
  const flights = new Map<string, Flight<Result>>()
  /** Stopped flights that have not ended yet; no caller can join them. */
  const ending = new Set<Promise<void>>()
  const waiters = createWaiters()

  function start(id: string, key: FlightKey, work: Work<Result>) {
    const underWay = [...flights.values()].filter(({ owner, outcome }) => owner === key.owner && !outcome)
    if (underWay.length >= maxPerOwner)
      throw new SpeechError('BUSY', busy, {
        hint: 'Wait for some of them to end.',
        retryable: true,
      })
    const abort = new AbortController()
    // Each request adds a listener: many at once are no leak.
    setMaxListeners(0, abort.signal)
    const progress = { done: 0, message: 'Starting' }
    const flight: Flight<Result> = { ...key, abort, progress, ended: Promise.resolve() }
    const end = (outcome: Outcome<Result>) => {
      flight.outcome = outcome
      delete flight.partial
      if (outcomeMs > 0) flight.expiry = setTimeout(drop, outcomeMs, id, flight).unref()
      else drop(id, flight)
      changes.progressed(key.owner, id)
    }
    flights.set(id, flight)
    flight.ended = work({
      signal: abort.signal,
      progress(update) {
        flight.progress = update
        changes.progressed(key.owner, id)
      },
      setPartial(result) {
        flight.partial = result
      },
    }).then(
      result => end({ result }),
      error => end({ error }),
    )
    return flight
  }

  function drop(id: string, flight: Flight<Result>): void {
    // A pending timer would keep the outcome in memory.
    clearTimeout(flight.expiry)
    if (flights.get(id) !== flight) return
    flights.delete(id)
    waiters.clear(id)
  }

  /** A call that comes after this starts the work again. */
  async function stopFlight(id: string, flight: Flight<Result>): Promise<void> {
    drop(id, flight)
    flight.abort.abort(cancelled())
    ending.add(flight.ended)
    await flight.ended
    ending.delete(flight.ended)
  }

  /** Undefined when the time is up, or the process stops. */
  async function waitFor(
    id: string,
    flight: Flight<Result>,
    { seconds = Number.POSITIVE_INFINITY, signal, onProgress }: WatchOptions,
  ): Promise<Outcome<Result> | undefined> {
    const until = performance.now() + 1000 * seconds
    for (;;) {
      signal.throwIfAborted()
      if (flight.outcome) return flight.outcome
      const left = until - performance.now()
      if (left <= 0 || closing.aborted) return undefined
      onProgress?.(flight.progress)
      await changes.next(flight.owner, id, Math.min(left, pollIntervalMs), [signal, closing])
    }
  }

  async function stopAll(isMeant: (flight: Flight<Result>) => boolean): Promise<void> {
    await Promise.all([...flights].map(([id, flight]) => isMeant(flight) && stopFlight(id, flight)))
    await Promise.all(ending)
  }

  return {
    /** True where the work is under way, or has ended without a caller taking its outcome. */
    has: (key: FlightKey): boolean => flights.has(idOf(key)),
    /**
     * Starts the work unless it is under way, and waits. Resolves with its result; when the time is up or the process
     * stops, with the partial result, or undefined where there is none. Throws `BUSY`, what the work throws, or the
     * signal's reason.
     */
    async join(key: FlightKey, work: Work<Result>, watch: WatchOptions): Promise<Result | undefined> {
      watch.signal.throwIfAborted()
      if (closing.aborted) return undefined
      const id = idOf(key)
      const flight = flights.get(id) ?? start(id, key, work)
      const leave = waiters.join(id)
      try {
        const outcome = await waitFor(id, flight, watch)
        if (outcome) drop(id, flight)
        // From here on the caller knows that the work continues, and may come back for it.
        else waiters.detach(id)
        if (outcome && 'error' in outcome) throw outcome.error
        return outcome ? outcome.result : flight.partial?.()
      } finally {
        const wasLast = leave()
        const isCurrent = () => flights.get(id) === flight
        if (watch.signal.aborted && isCurrent())
          await handleDisconnect(watch, { key: id, wasLast, waiters }, async () => {
            if (isCurrent() && waiters.hasNone(id)) await stopFlight(id, flight)
          })
      }
    },
    /** Stops all work on a subject, and resolves when none is under way any more. */
    stop: (owner: string, subject: string): Promise<void> =>
      stopAll(flight => flight.owner === owner && flight.subject === subject),
    close: () => stopAll(() => true),
  }
}

/** JSON keeps parts apart: no owner and no text can imitate another key. */
function idOf({ owner, subject, options }: FlightKey): string {
  return JSON.stringify([owner, subject, options])
}
