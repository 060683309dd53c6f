// The story of one recording: source, decode, cut, encode, recognise, merge, as one stream from end to end.

import { setMaxListeners } from 'node:events'
import type { Order } from '../domain/job.ts'
import { languageHint } from '../domain/languages.ts'
import type { Blobs, FileRecogniser, Recogniser } from '../domain/ports.ts'
import type { Run } from '../domain/run.ts'
import { oneLine } from '../domain/text.ts'
import { seconds, type Transcript } from '../domain/transcript.ts'
import { createBudget, dollars } from './budget.ts'
import { cut } from './cut.ts'
import { type Decoding, decode } from './decode.ts'
import { encodeAll } from './encode-all.ts'
import type { LocateFfmpeg } from './ffmpeg.ts'
import type { Gate } from './gate.ts'
import { createMerge } from './merge.ts'
import { type Piece, recognise } from './recognise.ts'
import { recut } from './recut.ts'
import { openSource, type Source, type SourcePorts } from './source.ts'

export interface PipelinePorts extends SourcePorts {
  ffmpeg: LocateFfmpeg
  recogniser: Recogniser
  /** Hears in an uploaded recording who speaks when. */
  speakerRecogniser: FileRecogniser
  /** Hears in an uploaded recording what is said when. */
  fileRecogniser: FileRecogniser
  blobs: Blobs
  /** How often to ask how far a task is, in seconds. */
  pollSeconds: number
  /** Shared by all orders of the process. */
  encoding: Gate
  /** US dollars that one order may cost. */
  maxCostUsd?: number
}

/** A transcript but for what the job knows: its id, when it was made, and what the run warned of. */
export type Findings = Omit<Transcript, 'id' | 'createdAt' | 'warnings'>

/** Files up to this size may be voice notes, whose encoding is worth starting before their length is known. */
export const perhapsVoiceNote = 2_000_000

/**
 * Resolves with the transcript of a recording; `onFound` may ask for what there is with every chunk that is done.
 * Throws `SpeechError`, or the signal's reason when it is cancelled.
 */
export async function transcribe(
  order: Order & { hash?: string },
  ports: PipelinePorts,
  outer: Run,
  onFound: (findings: () => Findings) => void,
): Promise<Findings> {
  const stop = new AbortController()
  const run: Run = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) }
  // Each process and request listens to it: many at once are no leak.
  setMaxListeners(0, run.signal)
  const { recogniser, ffmpeg } = ports
  const hint = languageHint(order.language)
  if (hint.warning) run.warn(hint.warning)
  const asked = { model: recogniser.model, ...spoken(hint.code, order.context) }
  const tools = { ffmpeg, gate: ports.encoding, minSeconds: recogniser.limits.minSeconds, asked }
  try {
    const source = await openSource(order, ports, run)
    run.progress({ done: 0, message: 'Decoding' })

    const audio = decode(source, ffmpeg, run, { voiceNote: source.bytes <= perhapsVoiceNote })
    const budget = createBudget(source, audio, ports, tools, run)
    const chunks = budget.checked(cut(announced(audio, run), recogniser.limits))
    const ready = encodeAll(chunks, tools, run, audio)
    const total = () => audio.expected() ?? audio.decoded()
    const asking = { recogniser, asked, total, again: recut(source, tools, run), afford: budget.afford }

    const merge = createMerge(order.timestamps ?? 'segment')
    const pieces: Piece[] = []
    const findings = (coming?: { end?: number }): Findings => {
      const { sent, cached, ...merged } = merge(pieces, coming)
      return {
        title: titleOf(order, source),
        status: coming ? 'running' : 'completed',
        duration: seconds(coming ? total() : audio.decoded()),
        model: recogniser.model,
        usage: { audioSeconds: sent, cachedSeconds: cached, ...cost(recogniser, sent) },
        ...merged,
      }
    }
    const soFar = () => withEstimate(findings({ end: total() }), recogniser)
    for await (const piece of recognise(ready, asking, run)) {
      pieces.push(piece)
      onFound(soFar)
    }

    const found = findings()
    const lost = audio.lost()
    if (lost)
      found.coverage.gaps.push({ ...lost, reason: 'FFMPEG_FAILED: ffmpeg ended before the recording did.' })
    if (pieces.length === 0 && !lost)
      run.warn('No speech was found: the recording is silent, or its channels cancel each other.')
    return { ...found, status: found.coverage.gaps.length > 0 ? 'partial' : 'completed' }
  } finally {
    stop.abort()
  }
}

/** Tells how long the recording is as soon as that is known: a call waits for a short one. */
async function* announced({ samples, expected, decoded }: Decoding, run: Run): AsyncGenerator<Buffer> {
  let told = false
  const tell = (total: number | undefined) => {
    if (told || total === undefined) return
    told = true
    run.progress({ done: 0, total, message: 'Decoding' })
  }
  for await (const buffer of samples) {
    tell(expected())
    yield buffer
  }
  tell(decoded())
}

function titleOf({ title }: Order, { name }: Source): string {
  return oneLine(title ?? '') || oneLine(name.replace(/\.[^.\s]{1,5}$/, '')) || 'recording'
}

function spoken(language: string | undefined, context: string | undefined) {
  const given = context?.trim()
  return { ...(language && { language }), ...(given && { context: given }) }
}

function cost({ usdPerSecond }: Recogniser, sent: number): { costUsd?: number } {
  return usdPerSecond === undefined ? {} : { costUsd: dollars(sent * usdPerSecond) }
}

/** At most, as silence is not sent. */
function withEstimate(findings: Findings, { usdPerSecond }: Recogniser): Findings {
  if (usdPerSecond === undefined) return findings
  const estimatedCostUsd = dollars(findings.duration * usdPerSecond)
  return { ...findings, usage: { ...findings.usage, estimatedCostUsd } }
}
