// npm run bench:format: time to format an hour of speech, relative to its slowest piece.
import { cpus } from 'node:os'
import { startDashscope } from '../emulators/dashscope/dashscope.ts'
import type { TextModel } from '../src/domain/text-model.ts'
import { tokens } from '../src/domain/tokens.ts'
import type { FormattedSegments, Formatting, Segment } from '../src/domain/transcript.ts'
import { createHttpClient } from '../src/drivers/http/http.ts'
import { textConcurrency, textModels } from '../src/drivers/llm/text-models.ts'
import {
  type FormatRun,
  type FormattedText,
  formatSegments,
  formatText,
} from '../src/pipeline/formatting/format-text.ts'
import { testBudget } from '../test/support/pipeline/budget.ts'
import { generateConversation } from './diarize/conversation.ts'
import { median, timed } from './measure.ts'

const spokenWords = 9_000
const latencySeconds = { base: 1, perWord: 0.02 }
const repeats = 3
const maxRatio = 1.3

interface Benchmark {
  format(textModel: TextModel, run: FormatRun): Promise<Formatting>
  textOf(result: Formatting): string
}

/** An hour of recognised speech: one segment a turn, without punctuation. */
function oneHour(): Segment[] {
  const segments: Segment[] = []
  let [count, offset] = [0, 0]
  // Every third conversation is in English.
  for (let seed = 0; count < spokenWords; seed += 3) {
    const { words, duration } = generateConversation(seed)
    for (const turn of new Set(words.map(word => word.turn))) {
      const own = words.filter(word => word.turn === turn)
      segments.push({
        start: offset + own[0]!.start,
        end: offset + own.at(-1)!.end,
        text: own.map(({ text }) => text).join(' '),
        estimated: false,
        speaker: `S${own[0]!.speaker + 1}`,
      })
    }
    count += words.length
    offset += duration
  }
  return segments
}

const segments = oneHour()
const unbrokenText = segments.map(({ text }) => text).join(' ')
const faithful = { style: 'faithful', language: 'en' } as const

/** Unbroken text is the hard case: it has no sentences and no turns to cut at. */
const benchmarks: Record<string, Benchmark> = {
  'one line without punctuation': {
    format: (textModel, run) => formatText(unbrokenText, faithful, { textModel }, run),
    textOf: result => (result as FormattedText).text,
  },
  'with speakers and times': {
    format: (textModel, run) => formatSegments(segments, faithful, { textModel }, run),
    textOf: result => (result as FormattedSegments).segments.map(({ text }) => text).join(' '),
  },
}

/** A run with checkpoints in memory, so that a repetition needs processor time alone. */
function memoryRun(): FormatRun {
  const values = new Map<string, unknown>()
  return {
    owner: 'local',
    signal: new AbortController().signal,
    progress() {},
    checkpoints: {
      get: async key => values.get(key),
      async put(key, value) {
        values.set(key, value)
      },
      isFromThisJob: () => false,
    },
    budget: testBudget(),
  }
}

const emulator = await startDashscope({ ffmpeg: 'none', textLatency: latencySeconds })
const http = createHttpClient({ connections: textConcurrency })

/** Models as from settings; the first one is unavailable, which only a request shows. */
function createModels(): TextModel {
  const unavailable = new Set<string>()
  return textModels({
    models: ['qwen-turbo', 'qwen-flash'],
    dashscope: { apiKey: emulator.apiKey, baseUrl: emulator.url },
    gemini: { apiKey: undefined, baseUrl: emulator.geminiUrl },
    http,
    unavailableModels: {
      has: async name => unavailable.has(name),
      async add(name) {
        unavailable.add(name)
      },
    },
  })
}

/** Seconds in which the emulator writes the longest answer. */
function slowestPieceSeconds(): number {
  const answers = emulator.textRequests.map(({ answer }) => answer.split(/\s+/).length)
  return latencySeconds.base + latencySeconds.perWord * Math.max(...answers)
}

interface Row {
  pieces: number
  took: number
  slowest: number
  /** Requests to the unavailable model; at most one is allowed. */
  rejected: number
  hasSameWords: boolean
  /** Repetition with checkpoints: seconds, processor seconds, requests. */
  again: { took: number; work: number; requests: number }
}

async function measure({ format, textOf }: Benchmark): Promise<Row> {
  const [model, run] = [createModels(), memoryRun()]
  emulator.textRequests.length = 0
  const [took, result] = await timed(() => format(model, run))
  if (result.failed > 0 || result.kept > 0)
    throw new Error(`${result.failed} pieces failed, ${result.kept} paragraphs were kept.`)
  const [first, slowest] = [emulator.textRequests.length, slowestPieceSeconds()]
  const before = process.cpuUsage()
  const [tookAgain] = await timed(() => format(model, run))
  const { user, system } = process.cpuUsage(before)
  return {
    pieces: result.pieces,
    took,
    slowest,
    rejected: emulator.textRequests.filter(request => request.model === 'qwen-turbo').length,
    hasSameWords: wordsOf(textOf(result)) === wordsOf(unbrokenText),
    again: { took: tookAgain, work: (user + system) / 1e6, requests: emulator.textRequests.length - first },
  }
}

function wordsOf(text: string): string {
  return tokens(text)
    .map(({ key }) => key)
    .join(' ')
}

let missed = 0
try {
  console.log(`${spokenWords} words, ${cpus().length} cores, the emulator in the same process\n`)
  for (const [name, benchmark] of Object.entries(benchmarks)) {
    const rows: Row[] = []
    for (let i = 0; i < repeats; i++) rows.push(await measure(benchmark))
    const ratio = median(rows.map(({ took, slowest }) => took / slowest))
    const work = median(rows.map(({ again }) => again.work))
    const max = (of: (row: Row) => number) => Math.max(...rows.map(of))
    const { pieces, took, slowest } = rows[0]!
    const lines: [string, string, boolean][] = [
      ['pieces', String(pieces), true],
      ['first run, and its slowest piece', `${took.toFixed(2)} s, ${slowest.toFixed(2)} s`, true],
      [`ratio to its slowest piece (≤ ${maxRatio})`, ratio.toFixed(2), ratio <= maxRatio],
      [
        'requests to the unavailable model (1)',
        String(max(row => row.rejected)),
        max(row => row.rejected) === 1,
      ],
      ['words unchanged', '', rows.every(row => row.hasSameWords)],
      ['repetition', `${median(rows.map(({ again }) => again.took)).toFixed(2)} s`, true],
      [
        'requests of the repetition (0)',
        String(max(row => row.again.requests)),
        max(row => row.again.requests) === 0,
      ],
      ['processor time of the repetition', `${work.toFixed(2)} s`, true],
    ]
    console.log(name)
    for (const [label, figure, isMet] of lines)
      console.log(
        `  ${label.padEnd(46)} ${(figure || (isMet ? 'yes' : '')).padStart(16)}${isMet ? '' : '  NO'}`,
      )
    missed += lines.filter(([, , isMet]) => !isMet).length
  }
} finally {
  await Promise.all([http.close(), emulator.close()])
}
process.exitCode = missed ? 1 : 0
