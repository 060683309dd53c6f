// npm run bench:format: how much of an hour's formatting is more than waiting for its slowest piece.
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
import { generateConversation } from './diarize/conversation.ts'
import { median, timed } from './measure.ts'

const spokenWords = 9_000
const latency = { base: 1, perWord: 0.02 }
const repeats = 3
const target = 1.3

interface Telling {
  story(textModel: TextModel, run: FormatRun): Promise<Formatting>
  textOf(result: Formatting): string
}

/** An hour as recognisers write it: a line a turn, without a mark. */
function anHour(): Segment[] {
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

const segments = anHour()
const oneLine = segments.map(({ text }) => text).join(' ')
const faithful = { style: 'faithful', language: 'en' } as const

/** Unbroken text is the hard case: no sentence and no turn to cut at. */
const stories: Record<string, Telling> = {
  'in one line without a mark': {
    story: (textModel, run) => formatText(oneLine, faithful, { textModel }, run),
    textOf: result => (result as FormattedText).text,
  },
  'with speakers and times': {
    story: (textModel, run) => formatSegments(segments, faithful, { textModel }, run),
    textOf: result => (result as FormattedSegments).segments.map(({ text }) => text).join(' '),
  },
}

/** What is kept, so that the same again is work for the processor alone. */
function keeping(): FormatRun {
  const kept = new Map<string, unknown>()
  return {
    signal: new AbortController().signal,
    progress() {},
    checkpoints: {
      get: async key => kept.get(key),
      async put(key, value) {
        kept.set(key, value)
      },
      isFromThisJob: () => false,
    },
  }
}

const standin = await startDashscope({ ffmpeg: 'none', textLatency: latency })
const http = createHttpClient({ connections: textConcurrency })

/** As the settings give them, the first of them gone, which nobody knows yet. */
function models(): TextModel {
  const gone = new Set<string>()
  return textModels({
    models: ['qwen-turbo', 'qwen-flash'],
    dashscope: { apiKey: standin.apiKey, baseUrl: standin.url },
    gemini: { apiKey: undefined, baseUrl: standin.geminiUrl },
    http,
    unavailableModels: {
      has: async name => gone.has(name),
      async add(name) {
        gone.add(name)
      },
    },
  })
}

/** Seconds that the longest of the answers takes to write, and no more. */
function slowestPiece(): number {
  const answers = standin.textRequests.map(({ answer }) => answer.split(/\s+/).length)
  return latency.base + latency.perWord * Math.max(...answers)
}

interface Row {
  pieces: number
  took: number
  slowest: number
  /** Requests to the model that is gone; one is what it may cost. */
  inVain: number
  areWordsTheSame: boolean
  /** The same again: seconds, seconds of the processor, requests. */
  again: { took: number; work: number; requests: number }
}

async function told({ story, textOf }: Telling): Promise<Row> {
  const [model, run] = [models(), keeping()]
  standin.textRequests.length = 0
  const [took, result] = await timed(() => story(model, run))
  if (result.failed > 0 || result.kept > 0)
    throw new Error(`${result.failed} pieces failed, ${result.kept} paragraphs were kept.`)
  const [first, slowest] = [standin.textRequests.length, slowestPiece()]
  const before = process.cpuUsage()
  const [tookAgain] = await timed(() => story(model, run))
  const { user, system } = process.cpuUsage(before)
  return {
    pieces: result.pieces,
    took,
    slowest,
    inVain: standin.textRequests.filter(request => request.model === 'qwen-turbo').length,
    areWordsTheSame: spoken(textOf(result)) === spoken(oneLine),
    again: {
      took: tookAgain,
      work: (user + system) / 1e6,
      requests: standin.textRequests.length - first,
    },
  }
}

function spoken(text: string): string {
  return tokens(text)
    .map(({ key }) => key)
    .join(' ')
}

let missed = 0
try {
  console.log(`${spokenWords} words, ${cpus().length} cores, the stand-in in the same process\n`)
  for (const [name, telling] of Object.entries(stories)) {
    const rows: Row[] = []
    for (let i = 0; i < repeats; i++) rows.push(await told(telling))
    const ratio = median(rows.map(({ took, slowest }) => took / slowest))
    const work = median(rows.map(({ again }) => again.work))
    const most = (of: (row: Row) => number) => Math.max(...rows.map(of))
    const { pieces, took, slowest } = rows[0]!
    const lines: [string, string, boolean][] = [
      ['pieces', String(pieces), true],
      ['the first time, and its slowest piece', `${took.toFixed(2)} s, ${slowest.toFixed(2)} s`, true],
      [`times its slowest piece (≤ ${target})`, ratio.toFixed(2), ratio <= target],
      ['requests to the retired model (1)', String(most(row => row.inVain)), most(row => row.inVain) === 1],
      ['words unchanged', '', rows.every(row => row.areWordsTheSame)],
      ['the same again', `${median(rows.map(({ again }) => again.took)).toFixed(2)} s`, true],
      ['its requests (0)', String(most(row => row.again.requests)), most(row => row.again.requests) === 0],
      ['cutting, judging, joining, in processor time', `${work.toFixed(2)} s`, true],
    ]
    console.log(name)
    for (const [what, figure, isMet] of lines)
      console.log(
        `  ${what.padEnd(46)} ${(figure || (isMet ? 'yes' : '')).padStart(16)}${isMet ? '' : '  NO'}`,
      )
    missed += lines.filter(([, , isMet]) => !isMet).length
  }
} finally {
  await Promise.all([http.close(), standin.close()])
}
process.exitCode = missed ? 1 : 0
