// npm run bench:speech -- --times: how far estimated sentence starts are off, on joined prompts and on the fixtures.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tokens } from '../../src/domain/tokens.ts'
import { cut } from '../../src/pipeline/audio/cut/cut.ts'
import { createMerge } from '../../src/pipeline/chunks/merge.ts'
import type { ChunkTranscript } from '../../src/pipeline/chunks/recognise.ts'
import { betweenPauses } from '../../src/pipeline/chunks/short-pauses.ts'
import { median, root } from '../measure.ts'
import { type Conversation, joinPrompts, shortPauses } from './conversation.ts'
import { promptRate, readPrompts } from './prompts.ts'

export interface StartErrors {
  sentences: number
  median: number
  p95: number
  worst: number
  /** Seconds of processor for the times. */
  cpu: number
}

const fixtures = ['jfk.wav', 'interview.mp3', 'meeting.m4a', 'russian.flac', 'chinese.flac', 'clip.mp4']
const seeds = [1, 2, 3]

/** Errors in seconds: of 20 minutes of prompts with pauses of 0.05 to 0.25 s for each seed, and of the fixtures. */
export async function timeErrors(transcripts: string, ffmpeg: string): Promise<Record<string, StartErrors>> {
  const rows: Record<string, StartErrors> = {}
  for (const seed of seeds) {
    const talk = joinPrompts(readPrompts('en', transcripts), 20 * 60, shortPauses, seed)
    rows[`prompts, seed ${seed}`] = await startErrors(...joined(talk))
  }
  for (const name of fixtures) rows[name] = await startErrors(...fixture(ffmpeg, name))
  return rows
}

interface TimedWord {
  text: string
  /** False where only the start of its sentence is known. */
  isTimed?: boolean
  start: number
  end: number
}

/** `samples`: 16 kHz mono. Each word ends with the space that parts it from the next one. */
async function startErrors(samples: Int16Array, words: TimedWord[]): Promise<StartErrors> {
  const transcripts: ChunkTranscript[] = []
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  for await (const chunk of cut([bytes], { maxSeconds: 150 })) {
    const own = words.filter(({ start, end }) => {
      const middle = (start + end) / 2
      return middle >= chunk.start && middle < chunk.end
    })
    const { samples: sent, release, ...info } = chunk
    const voiced = betweenPauses(info.speech, chunk)
    release()
    const text = own
      .map(({ text }) => text)
      .join('')
      .trim()
    transcripts.push({ ...info, voiced, text, sent: sent.length / (2 * promptRate), cached: 0 })
  }
  const started = process.cpuUsage().user
  const { segments } = createMerge('segment')(transcripts)
  const cpu = (process.cpuUsage().user - started) / 1e6
  const starts = words.flatMap(({ text, start, isTimed = true }) =>
    tokens(text).map((_, i) => (i === 0 && isTimed ? start : undefined)),
  )
  let at = 0
  const errors = segments.flatMap(({ text, start }) => {
    const truth = starts[at]
    at += tokens(text).length
    return truth === undefined ? [] : [Math.abs(start - truth)]
  })
  errors.sort((a, b) => a - b)
  const round = (value: number) => Math.round(value * 100) / 100
  return {
    sentences: errors.length,
    median: round(median(errors)),
    p95: round(errors[Math.floor(0.95 * errors.length)]!),
    worst: round(errors.at(-1)!),
    cpu: round(cpu),
  }
}

/** At twice the rate, and each sentence as words of equal length. */
function joined({ samples, sentences }: Conversation): [Int16Array, TimedWord[]] {
  const doubled = new Int16Array(2 * samples.length)
  for (const [i, sample] of samples.entries()) {
    doubled[2 * i] = sample
    doubled[2 * i + 1] = (sample + (samples[i + 1] ?? 0)) / 2
  }
  const words = sentences.flatMap(({ text, start, end }) => {
    const own = `${text[0]!.toUpperCase()}${text.slice(1).replace(/[^\p{L}]*$/u, '')}. `.match(/\S+\s*/g)!
    const at = (i: number) => start + ((end - start) * i) / own.length
    return own.map((text, i) => ({ text, start: at(i), end: at(i + 1), isTimed: i === 0 }))
  })
  return [doubled, words]
}

function fixture(ffmpeg: string, name: string): [Int16Array, TimedWord[]] {
  const file = join(root, 'fixtures', name)
  const output = ['-vn', '-f', 's16le', '-ar', String(2 * promptRate), '-ac', '1', 'pipe:1']
  const bytes = execFileSync(ffmpeg, ['-v', 'error', '-i', file, ...output], { maxBuffer: 1e9 })
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  const { words, joiner } = JSON.parse(readFileSync(file.replace(/\.\w+$/, '.truth.json'), 'utf8'))
  return [samples, words.map((word: TimedWord) => ({ ...word, text: word.text + joiner }))]
}
