// Transcripts of a large library: rare words, one word that all contain, and every twentieth in Chinese.
import { createHash } from 'node:crypto'
import type { Job } from '../../src/domain/job.ts'
import type { Segment, Transcript } from '../../src/domain/transcript.ts'

/** Each occurs in about one of seven transcripts of forty sentences. */
export const vocabulary = Array.from({ length: 3000 }, (_, i) => `w${((i * 7919) % 100_003).toString(36)}`)
/** All transcripts contain it. */
export const frequent = 'budget'
/** Of each Chinese transcript. */
export const chinese = '我们讨论下个季度的预算'

const wordsOfSentence = 12
const sentenceSeconds = 5
const chineseEvery = 20

export function transcriptOf(n: number, sentences: number): Transcript {
  const segments = Array.from({ length: sentences }, (_, k) => sentence(n, k, sentences))
  const duration = sentences * sentenceSeconds
  return {
    id: idOf(n),
    title: `Meeting ${n}`,
    createdAt: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
    status: 'completed',
    duration,
    model: 'bench',
    segments,
    warnings: [],
    usage: { audioSeconds: 0, cachedSeconds: 0 },
    coverage: { speechSeconds: duration, transcribedSeconds: duration, gaps: [] },
  } as Transcript
}

/** The job that made it. */
export function jobOf(n: number, owner: string): Job {
  const { id, createdAt } = transcriptOf(n, 0)
  return {
    id,
    owner,
    tool: 'transcribe_audio',
    request: { audio: `/recordings/${n}.mp3` },
    models: ['bench'],
    content: id,
    short: false,
    state: 'completed',
    revision: 5,
    createdAt,
    updatedAt: createdAt,
  } as Job
}

export function idOf(n: number): string {
  return `tr_${createHash('sha256').update(String(n)).digest('hex').slice(0, 16)}`
}

function sentence(n: number, k: number, sentences: number): Segment {
  const words = Array.from(
    { length: wordsOfSentence },
    (_, i) => vocabulary[((n * sentences + k) * wordsOfSentence + i) ** 2 % 2999]!,
  )
  const special = k > 0 ? [] : [frequent, ...(n % chineseEvery === 0 ? [chinese] : [])]
  const start = k * sentenceSeconds
  return { start, end: start + 4, estimated: false, text: [...words, ...special].join(' ') } as Segment
}
