// Counts of one round: tries, failures, the worst answer, and the resources of the programs under trial.
import type { Door } from './door.ts'
import type { Home } from './home.ts'
import type { ProcessFacts } from './process-facts.ts'

export interface RoundResult {
  round: string
  tries: number
  survived: number
  /** One line each, with the number of the try. */
  failures: string[]
  /** Longest time of a call, in seconds. */
  worstSeconds: number
  /** Resident memory in MB. Of several doors: the highest peak, and the levels where it grew most. */
  memory?: Level & { peak: number }
  /** Open handles, of the door where they grew most. */
  handles?: Level
  childrenLeft: number
  scratchLeft: number
  /** Figures of this round alone, such as percentiles, or why it could not be tried. */
  notes: string[]
}

/** After the warm-up and at the end. */
interface Level {
  warm: number
  end: number
}

export interface Tally {
  result: RoundResult
  /** Counts one try. It fails with the text that `work` returns, or with its exception. */
  attempt(name: string, work: () => Promise<string | undefined>): Promise<void>
  /** Notes the time of a call. */
  took(seconds: number): void
  fail(text: string): void
  note(text: string): void
  /** Remembers memory and handles as the level that the end is compared with. */
  warmedUp(door: Door): void
  /**
   * Waits until the program is idle and compares it with `warmedUp`: memory may grow by `maxGrowthMb`, handles by a few,
   * children and scratch files must be gone.
   */
  compare(door: Door, home: Home): Promise<void>
  /** Counts the children and the scratch files that an idle program has left, and the highest of the peaks. */
  leftAt(door: Door, home: Home): void
  /** Ends the program, which must obey, and counts the faults that it showed on the way. */
  end(door: Door): Promise<void>
}

/** The level of a process varies by about this much without a leak: new code is loaded, the heap is not returned at once. */
const maxGrowthMb = 40
/** Keep-alive connections to the provider, and files that SQLite opens on first use. */
const maxMoreHandles = 12
/** Jobs that calls have left go on, and an ffmpeg that hangs is ended after a minute. */
const idleTimeoutMs = 90_000
const quietMs = 1000

export function createTally(round: string, log: (text: string) => void): Tally {
  const result: RoundResult = {
    round,
    tries: 0,
    survived: 0,
    failures: [],
    worstSeconds: 0,
    childrenLeft: 0,
    scratchLeft: 0,
    notes: [],
  }
  const fail = (text: string) => {
    const line = text.replace(/\s+/g, ' ')
    result.failures.push(line)
    log(`${round}: ${line}`)
  }

  function leftAt(door: Door, home: Home): void {
    const { children = [], peakMb = 0, memoryMb = 0 } = door.facts() ?? {}
    const scratch = home.scratch()
    result.childrenLeft += children.length
    result.scratchLeft += scratch.length
    if (children.length > 0) fail(`${door.name}, children left: ${children.slice(0, 3).join(' | ')}`)
    if (scratch.length > 0) fail(`${door.name}, scratch left: ${scratch.slice(0, 3).join(', ')}`)
    result.memory ??= { peak: peakMb, warm: memoryMb, end: memoryMb }
    result.memory.peak = Math.max(result.memory.peak, peakMb)
  }

  const warm = new Map<Door, ProcessFacts>()

  return {
    result,
    fail,
    leftAt,
    note: text => void result.notes.push(text),
    took(seconds) {
      result.worstSeconds = Math.max(result.worstSeconds, seconds)
    },
    async attempt(name, work) {
      result.tries++
      try {
        const failure = await work()
        if (failure === undefined) result.survived++
        else fail(`${name}: ${failure}`)
      } catch (error) {
        fail(`${name}: ${error instanceof Error ? error.stack : error}`)
      }
    },
    warmedUp(door) {
      const facts = door.facts()
      if (facts) warm.set(door, facts)
    },
    async compare(door, home) {
      const idleSeconds = await untilIdle(door, home)
      const [before, after] = [warm.get(door), door.facts()]
      if (!before || !after) return
      const memory = { peak: after.peakMb, warm: before.memoryMb, end: after.memoryMb }
      const handles = { warm: before.handles, end: after.handles }
      result.memory = { ...largerGrowth(result.memory, memory), peak: result.memory?.peak ?? 0 }
      result.handles = largerGrowth(result.handles, handles)
      leftAt(door, home)
      result.notes.push(
        `${door.name}: ${memory.peak} MB peak, ${memory.warm} → ${memory.end} MB, ${handles.warm} → ${handles.end} handles, idle after ${idleSeconds.toFixed(1)} s`,
      )
      if (memory.end > memory.warm + maxGrowthMb)
        fail(`${door.name}, memory grew from ${memory.warm} to ${memory.end} MB`)
      if (handles.end > handles.warm + maxMoreHandles)
        fail(`${door.name}, handles grew from ${handles.warm} to ${handles.end}`)
    },
    async end(door) {
      for (const fault of door.faults()) fail(fault)
      if (door.ended() !== undefined) return fail(`${door.name} ended by itself: ${door.ended()}`)
      if (!(await door.close())) fail(`${door.name} did not end when it was told to`)
    },
  }
}

/**
 * Resolves when no child and no scratch file was seen for a second, as a job may be between two of them, or after
 * `idleTimeoutMs`. The result is the seconds until the program was idle.
 */
export async function untilIdle(door: Door, home: Home): Promise<number> {
  const started = performance.now()
  let busyMs = 0
  for (;;) {
    const waitedMs = performance.now() - started
    if ((door.facts()?.children.length ?? 0) > 0 || home.scratch().length > 0) busyMs = waitedMs
    if (waitedMs - busyMs > quietMs || waitedMs > idleTimeoutMs) return busyMs / 1000
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}

function largerGrowth(one: Level | undefined, other: Level): Level {
  return one && one.end - one.warm > other.end - other.warm ? one : other
}
