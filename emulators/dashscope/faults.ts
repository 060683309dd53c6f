// Faults that tests switch on: what a cloud, a proxy or a network does wrong, and to which requests.
import type { CloudError } from './errors.ts'

/** One recognition as the stand-in saw it. Times are milliseconds since 1970. */
export interface RecognitionRequest {
  at: number
  model: string
  /** Length of the audio, silence and padding included; 0 while it was not decoded. */
  seconds: number
  sampleRate: number
  /** Bits per second, where the format says so. */
  bitRate?: number
  mime: string
  language?: string
  context?: string
  /** What was answered; 0 before, and when nothing was. */
  status: number
  /** Size of the audio, decoded from base64. */
  bytes: number
  /** What is said in the audio, whatever was answered: a fault can be aimed at a passage. */
  spokenText?: string
  /** What was answered. */
  text?: string
  started: number
  finished?: number
  /** The client left before the answer. */
  aborted: boolean
}

/** Which requests a fault hits: all, unless it says otherwise. Conditions add up. */
export interface FaultScope<Subject> {
  /** How many requests are hit before the fault is over. */
  times?: number
  /** Only every n-th of the requests it could hit, the n-th first. */
  every?: number
  when?: (subject: Subject) => boolean
}

export type Fault = FaultScope<RecognitionRequest> &
  (
    | ({ kind: 'error' } & CloudError)
    /** Never answers. */
    | { kind: 'hang' }
    /** Cuts the connection when the body was read. */
    | { kind: 'drop' }
    /** Cuts the connection before the body is read: nothing is known of the request then. */
    | { kind: 'unread' }
    /** A proxy's page, 502 unless told. */
    | { kind: 'html'; status?: number }
    /** 200 with half a JSON text. */
    | { kind: 'garbage' }
    /** Extra latency, in seconds. */
    | { kind: 'slow'; seconds: number }
    /** A phrase comes back again and again; unless `times` or `when` is given only in audio longer than 100 s. */
    | { kind: 'loop'; longerThan?: number; repeats?: number }
    /** `content: []` although there is speech. */
    | { kind: 'empty' }
    /** `content: [{ text: '' }]` although there is speech. */
    | { kind: 'emptyText' }
  )

export interface FaultList<Subject, F extends FaultScope<Subject> & { kind: string }> {
  add(fault: F): () => void
  /** The fault of one of these kinds that hits this subject, if any; it is then used up by one. */
  hit<K extends F['kind']>(subject: Subject, ...kinds: K[]): Extract<F, { kind: K }> | undefined
}

export type Faults = FaultList<RecognitionRequest, Fault>

export function createFaults(): Faults {
  return faultList((fault, request) => fault.kind !== 'loop' || request.seconds > loopsAbove(fault))
}

/** `couldHit` says which subjects a fault is meant for, before its scope is looked at. */
export function faultList<Subject, F extends FaultScope<Subject> & { kind: string }>(
  couldHit: (fault: F, subject: Subject) => boolean,
): FaultList<Subject, F> {
  const active: { fault: F; seen: number; hits: number }[] = []

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
      const entry = { fault, seen: 0, hits: 0 }
      active.push(entry)
      return () => {
        const at = active.indexOf(entry)
        if (at >= 0) active.splice(at, 1)
      }
    },
    hit<K extends F['kind']>(subject: Subject, ...kinds: K[]) {
      const entry = active.find(
        candidate => kinds.includes(candidate.fault.kind as K) && hits(candidate, subject),
      )
      return entry?.fault as Extract<F, { kind: K }> | undefined
    },
  }
}

function loopsAbove(fault: Extract<Fault, { kind: 'loop' }>): number {
  return fault.longerThan ?? (fault.times || fault.when || fault.every ? 0 : 100)
}

/** A text that got stuck: a phrase from its middle is repeated, and the rest is gone. */
export function looped(text: string, joiner: string, repeats = 40): string {
  const words = joiner ? text.split(joiner) : [...text]
  const from = Math.floor(words.length / 2)
  const phrase = words.slice(from, from + (joiner ? 4 : 8))
  return [...words.slice(0, from), ...Array.from({ length: repeats }, () => phrase).flat()].join(joiner)
}
