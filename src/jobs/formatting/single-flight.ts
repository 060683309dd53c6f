// Work that calls wait for and that outlives them, in this process: who asks for the same attaches to it.
import { setMaxListeners } from 'node:events'
import { cancelled, SpeechError } from '../../domain/errors.ts'
import type { Progress } from '../../domain/job.ts'
import type { Changes } from '../records/changes.ts'
import { createHolders } from '../records/waiters.ts'
import { depart, type WatchOptions } from '../watch.ts'

/** Errands that are alike in all of this are one. */
export interface ErrandName {
  owner: string
  /** What it is about: `stop` ends all errands about it. */
  subject: string
  /** What is to be done with it. */
  wish: string
}

export interface ErrandRun<Result> {
  signal: AbortSignal
  progress(update: Progress): void
  /** `result` gives what there is, whenever the time of a caller is up. */
  soFar(result: () => Result): void
}

export interface Errands<Result> {
  /** True where one is under way, or one has ended whose outcome nobody has had yet. */
  has(name: ErrandName): boolean
  /**
   * Starts the work unless it is under way, and waits. Resolves with its result, or with what there is of it when the
   * time is up or the process stops: undefined where it has said nothing of that. Throws `BUSY`, what the work throws,
   * or the signal's reason.
   */
  attend(
    name: ErrandName,
    work: (run: ErrandRun<Result>) => Promise<Result>,
    watch: WatchOptions,
  ): Promise<Result | undefined>
  /** Stops whatever is done about a subject, and resolves when nothing is under way any more. */
  stop(owner: string, subject: string): Promise<void>
  close(): Promise<void>
}

interface Errand<Result> extends ErrandName {
  abort: AbortController
  progress: Progress
  soFar?: () => Result
  /** Gives the result, or throws; there when the work is over. */
  outcome?: () => Result
  ended: Promise<void>
  /** Forgets it, when nobody has come for its outcome. */
  leaving?: NodeJS.Timeout
}

/** So many errands of one owner may be under way at once. */
const mostErrands = 100
/** What has ended while nobody waited is had by whoever comes within this time. In milliseconds. */
const keepingTime = 600_000
/** Everything is told as it happens; to be safe it is looked at so often, in milliseconds. */
const rhythm = 5_000

export function createErrands<Result>(house: { changes: Changes; closing: AbortSignal }): Errands<Result> {
  const { changes, closing } = house
  const errands = new Map<string, Errand<Result>>()
  /** What is stopped is nobody's any more, but not yet over. */
  const unwinding = new Set<Promise<void>>()
  const holders = createHolders()

  function start(key: string, name: ErrandName, work: (run: ErrandRun<Result>) => Promise<Result>) {
    const underWay = [...errands.values()].filter(({ owner, outcome }) => owner === name.owner && !outcome)
    if (underWay.length >= mostErrands)
      throw new SpeechError('BUSY', `${mostErrands} texts are being formatted already.`, {
        hint: 'Wait for some of them to end.',
        retryable: true,
      })
    const abort = new AbortController()
    // Each request listens to it: many at once are no leak.
    setMaxListeners(0, abort.signal)
    const errand: Errand<Result> = {
      ...name,
      abort,
      progress: { done: 0, message: 'Starting' },
      ended: Promise.resolve(),
    }
    const end = (outcome: () => Result) => {
      errand.outcome = outcome
      delete errand.soFar
      errand.leaving = setTimeout(forget, keepingTime, key, errand).unref()
      changes.moved(name.owner, key)
    }
    errands.set(key, errand)
    errand.ended = work({
      signal: abort.signal,
      progress(update) {
        errand.progress = update
        changes.moved(name.owner, key)
      },
      soFar(result) {
        errand.soFar = result
      },
    }).then(
      result => end(() => result),
      error =>
        end(() => {
          throw error
        }),
    )
    return errand
  }

  function forget(key: string, errand: Errand<Result>): void {
    // A timer would hold on to all that it has found.
    clearTimeout(errand.leaving)
    if (errands.get(key) !== errand) return
    errands.delete(key)
    holders.forget(key)
  }

  /** Whoever asks for it from now on begins anew. */
  async function stop(key: string, errand: Errand<Result>): Promise<void> {
    forget(key, errand)
    errand.abort.abort(cancelled())
    unwinding.add(errand.ended)
    await errand.ended
    unwinding.delete(errand.ended)
  }

  /** Undefined when the time is up, or the process stops. */
  async function waitFor(
    key: string,
    errand: Errand<Result>,
    { seconds = Number.POSITIVE_INFINITY, signal, onProgress }: WatchOptions,
  ): Promise<(() => Result) | undefined> {
    const until = performance.now() + 1000 * seconds
    for (;;) {
      signal.throwIfAborted()
      if (errand.outcome) return errand.outcome
      const left = until - performance.now()
      if (left <= 0 || closing.aborted) return undefined
      onProgress?.(errand.progress)
      await changes.next(errand.owner, key, Math.min(left, rhythm), [signal, closing])
    }
  }

  async function stopAll(isMeant: (errand: Errand<Result>) => boolean): Promise<void> {
    await Promise.all([...errands].map(([key, errand]) => isMeant(errand) && stop(key, errand)))
    await Promise.all(unwinding)
  }

  return {
    has: name => errands.has(keyOf(name)),
    async attend(name, work, watch) {
      watch.signal.throwIfAborted()
      if (closing.aborted) return undefined
      const key = keyOf(name)
      const errand = errands.get(key) ?? start(key, name, work)
      const leave = holders.enter(key)
      try {
        const outcome = await waitFor(key, errand, watch)
        if (outcome) forget(key, errand)
        // From here on the caller knows that it goes on, and may come back for it.
        else holders.handOut(key)
        return outcome ? outcome() : errand.soFar?.()
      } finally {
        const alone = leave()
        const isThere = () => errands.get(key) === errand
        if (watch.signal.aborted && isThere())
          await depart(watch, { key, alone, holders }, async () => {
            if (isThere() && holders.isAlone(key)) await stop(key, errand)
          })
      }
    },
    stop: (owner, subject) => stopAll(errand => errand.owner === owner && errand.subject === subject),
    close: () => stopAll(() => true),
  }
}

/** No owner's name and no text can be written so that it is taken for another one's. */
function keyOf({ owner, subject, wish }: ErrandName): string {
  return JSON.stringify([owner, subject, wish])
}
