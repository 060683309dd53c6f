// Faults that tests inject into recognition requests: errors of the service, of a proxy or of the network.
import type { CloudError } from './errors.ts'

/** Record of one recognition request. Times are milliseconds since 1970. */
export interface RecognitionRequest {
  at: number
  model: string
  /** Length of the audio, including silence and padding; 0 until it is decoded. */
  seconds: number
  sampleRate: number
  /** Bits per second, if the format states it. */
  bitRate?: number
  mime: string
  language?: string
  context?: string
  /** HTTP status of the response; 0 without one. */
  status: number
  /** Size of the audio, decoded from base64. */
  bytes: number
  /** Equal for equal audio; absent until the body was read. */
  audioHash?: string
  /** The words in the audio, also if the response was an error: a fault can target a passage. */
  spokenText?: string
  /** The transcript in the response. */
  text?: string
  started: number
  finished?: number
  /** The client disconnected before the response. */
  aborted: boolean
}

/** Which requests a fault hits; default: all. All conditions must hold. */
export interface FaultScope<Subject> {
  /** The fault ends after this many hits. */
  times?: number
  /** Hits only every n-th matching request, starting with the n-th. */
  every?: number
  when?: (subject: Subject) => boolean
}

export type Fault = FaultScope<RecognitionRequest> &
  (
    | ({ kind: 'error' } & CloudError)
    /** The content check refuses the audio. */
    | { kind: 'refuse' }
    /** Ends for its length after a share `at` of the words, default: 0.5. */
    | { kind: 'length'; at?: number }
    /** Never responds. */
    | { kind: 'hang' }
    /** Closes the connection after reading the body. */
    | { kind: 'drop' }
    /** Closes the connection before reading the body: the record stays empty. */
    | { kind: 'unread' }
    /** The error page of a proxy; default status: 502. */
    | { kind: 'html'; status?: number }
    /** 200 with truncated JSON. */
    | { kind: 'garbage' }
    /** Additional latency. */
    | { kind: 'slow'; seconds: number }
    /** Responds once the fault is removed. */
    | { kind: 'held' }
    /** Repeats a phrase. Without `times`, `every` and `when`: only in audio longer than 100 s. */
    | { kind: 'loop'; longerThan?: number; repeats?: number }
    /** `content: []` in spite of speech. */
    | { kind: 'empty' }
    /** `content: [{ text: '' }]` in spite of speech. */
    | { kind: 'emptyText' }
  )

export interface FaultList<Subject, F extends FaultScope<Subject> & { kind: string }> {
  add(fault: F): () => void
  /** Returns the first fault of these kinds that hits the subject, and counts the hit. */
  hit<K extends F['kind']>(subject: Subject, ...kinds: K[]): HitFault<Extract<F, { kind: K }>> | undefined
}

export type HitFault<F> = F & {
  /** Resolves once the fault is removed. */
  removed: Promise<void>
}

export type Faults = FaultList<RecognitionRequest, Fault>

export function createFaults(): Faults {
  return faultList((fault, request) => fault.kind !== 'loop' || request.seconds > minLoopSeconds(fault))
}

/** `couldHit` decides which subjects a fault applies to, in addition to its scope. */
export function faultList<Subject, F extends FaultScope<Subject> & { kind: string }>(
  couldHit: (fault: F, subject: Subject) => boolean,
): FaultList<Subject, F> {
  const active: { fault: HitFault<F>; seen: number; hits: number }[] = []

  function hits(entry: (typeof active)[number], subject: Subject): boolean {
    const { fault } = entry
    if (entry.hits >= (fault.times ?? Number.POSITIVE_INFINITY)) return false
    if (fault.when && !fault.when(subject)) return false
    if (!couldHit(fault, subject)) return false
    entry.seen++
    if (fault.every && entry.seen % fault.every !== 0) return false
    entry.hits++
    return true
  }

  return {
    add(fault) {
      let remove = () => {}
      const removed = new Promise<void>(resolve => {
        remove = resolve
      })
      const entry = { fault: { ...fault, removed }, seen: 0, hits: 0 }
      active.push(entry)
      return () => {
        remove()
        const at = active.indexOf(entry)
        if (at >= 0) active.splice(at, 1)
      }
    },
    hit<K extends F['kind']>(subject: Subject, ...kinds: K[]) {
      const entry = active.find(
        candidate => kinds.includes(candidate.fault.kind as K) && hits(candidate, subject),
      )
      return entry?.fault as HitFault<Extract<F, { kind: K }>> | undefined
    },
  }
}

/** Waits while a fault holds the response. Rejects as the signal aborts. */
export async function whileHeld(fault: HitFault<unknown> | undefined, signal: AbortSignal): Promise<void> {
  if (!fault) return
  signal.throwIfAborted()
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  await Promise.race([fault.removed, aborted])
}

function minLoopSeconds(fault: Extract<Fault, { kind: 'loop' }>): number {
  return fault.longerThan ?? (fault.times || fault.when || fault.every ? 0 : 100)
}

/** The beginning of a text: a share of its words. */
export function shortened(text: string, joiner: string, share = 0.5): string {
  const words = joiner ? text.split(joiner) : [...text]
  return words.slice(0, Math.floor(words.length * share)).join(joiner)
}

/** A hallucination loop: repeats a phrase from the middle and drops the rest. */
export function looped(text: string, joiner: string, repeats = 40): string {
  const words = joiner ? text.split(joiner) : [...text]
  const from = Math.floor(words.length / 2)
  const phrase = words.slice(from, from + (joiner ? 4 : 8))
  return [...words.slice(0, from), ...Array.from({ length: repeats }, () => phrase).flat()].join(joiner)
}
