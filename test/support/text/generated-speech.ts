// What people say in six languages and all of them at once, as recognisers write it: words drawn by a seed.
import type { Run } from '../../../src/domain/run.ts'
import type { Segment, Word } from '../../../src/domain/transcript.ts'
import { createSeededRandom } from '../emulators/expected-words.ts'
import { corpus, type Tongue } from './corpus.ts'

export const spoken = ['en', 'ru', 'zh', 'ja', 'ar', 'th', 'mixed'] as const satisfies Tongue[]
export type Spoken = (typeof spoken)[number]

type Single = Exclude<Spoken, 'mixed'>
const singles = spoken.filter((tongue): tongue is Single => tongue !== 'mixed')

const vocabularies = Object.fromEntries(singles.map(tongue => [tongue, vocabularyOf(tongue)])) as Record<
  Single,
  string[]
>

function vocabularyOf(tongue: Single): string[] {
  const segmenter = new Intl.Segmenter(tongue, { granularity: 'word' })
  const text = corpus[tongue].join('\n').toLowerCase()
  const found = [...segmenter.segment(text)].filter(({ isWordLike }) => isWordLike)
  return [...new Set(found.map(({ segment }) => segment))].filter(word => /^[\p{L}\p{M}'’]+$/u.test(word))
}

/** Words without a mark, in one line. */
export function talk(tongue: Spoken, count: number, seed: number): string {
  const random = createSeededRandom(seed)
  if (tongue !== 'mixed') return said(tongue, count, random)
  const runs: string[] = []
  for (let left = count; left > 0; ) {
    const some = Math.min(left, 1 + Math.floor(random() * 30))
    runs.push(said(singles[Math.floor(random() * singles.length)]!, some, random))
    left -= some
  }
  return runs.join(' ')
}

function said(tongue: Single, count: number, random: () => number): string {
  const words = vocabularies[tongue]
  const drawn = Array.from({ length: count }, () => words[Math.floor(random() * words.length)]!)
  return drawn.join(['zh', 'ja', 'th'].includes(tongue) ? '' : ' ')
}

export interface Conversing {
  /** Words of a segment at most. */
  longest?: number
  speakers?: number
  /** With a time for every word. */
  timed?: boolean
  tongue?: Spoken
}

/** Segments of a conversation; a speaker says some of them in a row, with pauses of up to two seconds between them. */
export function conversation(
  count: number,
  seed: number,
  { longest = 24, speakers = 2, timed = false, tongue = 'en' }: Conversing = {},
): Segment[] {
  const random = createSeededRandom(seed)
  const segments: Segment[] = []
  let [at, speaker] = [0, 0]
  for (let i = 0; i < count; i++) {
    if (random() < 0.3) speaker = Math.floor(random() * speakers)
    const text = talk(tongue, 1 + Math.floor(random() * longest), seed * 1000 + i)
    const words = timesOf(text, at)
    const end = words.at(-1)!.end
    segments.push({
      start: round(at),
      end,
      text,
      estimated: false,
      speaker: `S${speaker + 1}`,
      confidence: 0.9,
      ...(timed && { words }),
    })
    at = end + random() * 2
  }
  return segments
}

function timesOf(text: string, from: number): Word[] {
  return text.split(/\s+/).map((word, i) => ({
    text: word,
    start: round(from + i * 0.4),
    end: round(from + i * 0.4 + 0.35),
  }))
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}

export interface Kept extends Pick<Run, 'checkpoints'> {
  /** All that is kept, by key. */
  values: Map<string, unknown>
}

/** Checkpoints in memory, as JSON gives them back. */
export function keeping(): Kept {
  const values = new Map<string, unknown>()
  return {
    values,
    checkpoints: {
      get: async key => {
        const value = values.get(key)
        return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
      },
      async put(key, value) {
        values.set(key, value)
      },
      isFromThisJob: () => true,
    },
  }
}

type FormatRun = Pick<Run, 'signal' | 'progress' | 'checkpoints'>

/** A run of its own, unless a test gives parts of it. */
export function runOf(given: Partial<FormatRun> = {}): FormatRun {
  return {
    signal: new AbortController().signal,
    progress: () => {},
    checkpoints: keeping().checkpoints,
    ...given,
  }
}
