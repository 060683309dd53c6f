// The story of one recording: source, decode, cut, encode, recognise, merge, as one stream from end to end.

import { setMaxListeners } from 'node:events'
import type { Order, Run } from '../domain/job.ts'
import { languageHint } from '../domain/languages.ts'
import type { Recogniser } from '../domain/ports.ts'
import { seconds, type Transcript } from '../domain/transcript.ts'
import { cut } from './cut.ts'
import { decode } from './decode.ts'
import { encodeAll } from './encode-all.ts'
import type { LocateFfmpeg } from './ffmpeg.ts'
import { merge } from './merge.ts'
import { recognise } from './recognise.ts'
import { recut } from './recut.ts'
import { openSource, type Source, type SourcePorts } from './source.ts'

export interface PipelinePorts extends SourcePorts {
  ffmpeg: LocateFfmpeg
  recogniser: Recogniser
}

/** A transcript but for what the job knows: its id, when it was made, and what the run warned of. */
export type Findings = Omit<Transcript, 'id' | 'createdAt' | 'warnings'>

/** Files up to this size may be voice notes, whose encoding is worth starting before their length is known. */
const perhapsVoiceNote = 2_000_000

/** Resolves with the transcript of a recording. Throws `SpeechError`, or the signal's reason when it is cancelled. */
export async function transcribe(order: Order, ports: PipelinePorts, outer: Run): Promise<Findings> {
  const stop = new AbortController()
  const run: Run = { ...outer, signal: AbortSignal.any([outer.signal, stop.signal]) }
  // Each process and request listens to it: many at once are no leak.
  setMaxListeners(0, run.signal)
  const { recogniser, ffmpeg } = ports
  const tools = { ffmpeg, minSeconds: recogniser.limits.minSeconds }
  const hint = languageHint(order.language)
  if (hint.warning) run.warn(hint.warning)
  try {
    const source = await openSource(order.audio, ports, run)
    run.progress({ done: 0, message: 'Decoding' })

    const audio = decode(source, ffmpeg, run, { voiceNote: source.bytes <= perhapsVoiceNote })
    const chunks = cut(audio.samples, recogniser.limits)
    const encoded = encodeAll(chunks, tools, run, audio)
    const total = () => audio.expected() ?? audio.decoded()
    const again = recut(source, tools, run)
    const pieces = recognise(encoded, { recogniser, ...spoken(hint.code, order.context), total, again }, run)
    const { sent, ...merged } = await merge(pieces, order.timestamps ?? 'segment')

    const lost = audio.lost()
    if (lost)
      merged.coverage.gaps.push({ ...lost, reason: 'FFMPEG_FAILED: ffmpeg ended before the recording did.' })
    if (sent === 0 && !lost)
      run.warn('No speech was found: the recording is silent, or its channels cancel each other.')
    return {
      title: titleOf(order, source),
      status: merged.coverage.gaps.length > 0 ? 'partial' : 'completed',
      duration: seconds(audio.decoded()),
      model: recogniser.model,
      usage: { audioSeconds: sent, cachedSeconds: 0, ...cost(recogniser, sent) },
      ...merged,
    }
  } finally {
    stop.abort()
  }
}

/** One line, also where a file name holds line breaks: it stands between facts in a text that a model reads. */
function titleOf({ title }: Order, { name }: Source): string {
  const line = (text: string) => [...text.replace(/[\s\p{Cc}]+/gu, ' ').trim()].slice(0, 200).join('')
  return line(title ?? '') || line(name.replace(/\.[^.\s]{1,5}$/, '')) || 'recording'
}

function spoken(language: string | undefined, context: string | undefined) {
  const given = context?.trim()
  return { ...(language && { language }), ...(given && { context: given }) }
}

function cost({ usdPerSecond }: Recogniser, sent: number): { costUsd?: number } {
  return usdPerSecond === undefined ? {} : { costUsd: Math.round(sent * usdPerSecond * 1e6) / 1e6 }
}
