// Generated speech in six languages and a mix of them, as recognised: words drawn by a seed.
import type { Run } from '../../../src/domain/run.ts'
import type { Segment, Word } from '../../../src/domain/transcript.ts'
import { createSeededRandom } from '../emulators/expected-words.ts'
import { testBudget } from '../pipeline/budget.ts'
import { type CorpusLanguage, corpus } from './corpus.ts'

export const speechLanguages = [
  'en',
  'ru',
  'zh',
  'ja',
  'ar',
  'th',
  'mixed',
] as const satisfies CorpusLanguage[]
export type SpeechLanguage = (typeof speechLanguages)[number]

type Single = Exclude<SpeechLanguage, 'mixed'>
const singles = speechLanguages.filter((language): language is Single => language !== 'mixed')

const vocabularies = Object.fromEntries(
  singles.map(language => [language, vocabularyOf(language)]),
) as Record<Single, string[]>

function vocabularyOf(language: Single): string[] {
  const segmenter = new Intl.Segmenter(language, { granularity: 'word' })
  const text = corpus[language].join('\n').toLowerCase()
  const found = [...segmenter.segment(text)].filter(({ isWordLike }) => isWordLike)
  return [...new Set(found.map(({ segment }) => segment))].filter(word => /^[\p{L}\p{M}'’]+$/u.test(word))
}

/** Generates words without punctuation, on one line. */
export function generateText(language: SpeechLanguage, count: number, seed: number): string {
  const random = createSeededRandom(seed)
  if (language !== 'mixed') return drawWords(language, count, random)
  const runs: string[] = []
  for (let left = count; left > 0; ) {
    const some = Math.min(left, 1 + Math.floor(random() * 30))
    runs.push(drawWords(singles[Math.floor(random() * singles.length)]!, some, random))
    left -= some
  }
  return runs.join(' ')
}

function drawWords(language: Single, count: number, random: () => number): string {
  const words = vocabularies[language]
  const drawn = Array.from({ length: count }, () => words[Math.floor(random() * words.length)]!)
  return drawn.join(['zh', 'ja', 'th'].includes(language) ? '' : ' ')
}

export interface ConversationOptions {
  /** Highest number of words a segment. */
  maxWords?: number
  speakers?: number
  /** Adds a time for each word. */
  timed?: boolean
  language?: SpeechLanguage
}

/** Generates the segments of a conversation, with pauses of up to two seconds. A speaker may have several in a row. */
export function generateConversation(
  count: number,
  seed: number,
  { maxWords = 24, speakers = 2, timed = false, language = 'en' }: ConversationOptions = {},
): Segment[] {
  const random = createSeededRandom(seed)
  const segments: Segment[] = []
  let [at, speaker] = [0, 0]
  for (let i = 0; i < count; i++) {
    if (random() < 0.3) speaker = Math.floor(random() * speakers)
    const text = generateText(language, 1 + Math.floor(random() * maxWords), seed * 1000 + i)
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

export interface MemoryCheckpoints extends Pick<Run, 'checkpoints'> {
  /** All values by key. */
  values: Map<string, unknown>
}

/** Checkpoints in memory that pass through JSON, as in a store. */
export function memoryCheckpoints(): MemoryCheckpoints {
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

type FormatRun = Pick<Run, 'owner' | 'signal' | 'progress' | 'checkpoints' | 'budget'>

/** Creates a run, with the given parts replaced. */
export function testRun(given: Partial<FormatRun> = {}): FormatRun {
  return {
    owner: 'local',
    signal: new AbortController().signal,
    progress: () => {},
    checkpoints: memoryCheckpoints().checkpoints,
    budget: testBudget(),
    ...given,
  }
}
