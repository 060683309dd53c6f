// Finds the voices of a recording: which of its tracks and channels are heard, together or apart.
import type { PipelineRequest, TranscriptionRequest } from '../../domain/job.ts'
import type { Run } from '../../domain/run.ts'
import { type Decoding, decode } from '../audio/decode.ts'
import { type InputFile, inputArguments } from '../audio/demuxers.ts'
import { maxVoiceNoteBytes } from '../audio/encode.ts'
import { type LocateFfmpeg, startFfmpeg } from '../audio/ffmpeg.ts'
import { textHash } from '../audio/fingerprint.ts'
import type { Source } from '../source/source.ts'
import { type Description, isDescribed, readDescription, type Track } from './description.ts'
import { findTracks, type TrackRequest } from './find-tracks.ts'
import { areSeparateChannels } from './separate-channels.ts'
import type { Voice } from './voice.ts'
import { readWindows, type StartFfmpeg, stderrOf } from './windows.ts'

/** A voice that may be a speaker of its own. */
export interface HeardVoice extends Voice {
  /** Stable key of the speaker, `channel:0` or `track:2`; absent where all speakers are in this voice. */
  key?: string
  /** Title of the track. */
  title?: string
}

export interface Hearing {
  /** One, or several that are heard apart. */
  voices: readonly HeardVoice[]
  /** The decoder of the only voice, already at work. */
  decoding?: Decoding
}

type Request = Pick<TranscriptionRequest, 'track' | 'language' | 'speakers'> & Pick<TrackRequest, 'isApart'>

/**
 * Starts the decoder, which describes the file: a second ffmpeg would delay a voice note. Looks closer only where there
 * is a choice. Throws the errors of the decoder, and `TRACK_NOT_FOUND`.
 */
export async function openVoices(
  source: Source,
  request: Request,
  ffmpeg: LocateFfmpeg,
  run: Run,
): Promise<Hearing> {
  const decoding = decode(source, ffmpeg, run, { voiceNote: source.bytes <= maxVoiceNoteBytes })
  const samples = decoding.samples[Symbol.asyncIterator]() as AsyncGenerator<Buffer>
  const read: Buffer[] = []
  let failure: unknown
  try {
    while (!isDescribed(decoding.description())) {
      const { value, done } = await samples.next()
      if (done) break
      read.push(value)
    }
  } catch (error) {
    failure = error
  }
  run.signal.throwIfAborted()
  const description = readDescription(decoding.description())
  if (description.tracks.length > 1 || (request.track && description.tracks.length > 0)) {
    const tracks = await findTracks(source, description, request, starter(await ffmpeg(), run), run)
    const isUsual = tracks.length === 1 && tracks[0]!.stream === description.stream
    if (!isUsual && tracks.length > 0) {
      await samples.return(undefined)
      return { voices: tracks.map(voiceOf) }
    }
  }
  if (failure) throw failure
  return { voices: [{}], decoding: { ...decoding, samples: resumed(read, samples) } }
}

async function* resumed(read: Buffer[], rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* read.splice(0)
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

/**
 * The same before anything is decoded. With `isApart` each voice may be one speaker: two channels are heard apart where each
 * carries a speaker of its own: in doubt they are not, as speakers can still be identified by voice, while a room
 * recognised twice would repeat each word. An unreadable file has one voice; its decoder reports the error.
 */
export async function findVoices(
  source: Pick<Source, 'file'>,
  request: Request,
  ffmpeg: LocateFfmpeg,
  run: Pick<Run, 'signal' | 'warn'>,
): Promise<Hearing> {
  const start = starter(await ffmpeg(), run)
  const description = await probe(source, start)
  run.signal.throwIfAborted()
  const { tracks, stream } = description
  const isChoice = tracks.length > 1 || (request.track && tracks.length > 0)
  const heard = isChoice ? await findTracks(source, description, request, start, run) : tracks
  run.signal.throwIfAborted()
  if (heard.length > 1) return { voices: heard.map(voiceOf) }
  const track = heard[0] ?? tracks.find(one => one.stream === stream)
  const usual = { voices: [track && track.stream !== stream ? { stream: track.stream } : {}] }
  // More speakers than channels cannot have one channel each.
  if (track?.channels !== 2 || (request.speakers ?? 2) > 2 || !request.isApart) return usual
  const { duration } = description
  const stretches = await readWindows(source, { stream: track.stream, channels: 2, duration }, start)
  run.signal.throwIfAborted()
  if (!areSeparateChannels(stretches)) return usual
  run.warn('Each of the two channels carries its own voice; each was taken as one speaker.')
  return {
    voices: [0, 1].map(side => ({
      ...usual.voices[0],
      filter: `pan=mono|c0=c${side}`,
      key: `channel:${side}`,
    })),
  }
}

function voiceOf({ stream, number, title }: Track, _: number, all: readonly Track[]): HeardVoice {
  if (all.length === 1) return { stream }
  const isUnique = all.filter(one => one.title === title).length === 1
  return { stream, key: `track:${number}`, ...(title && isUnique && { title }) }
}

function starter(found: Awaited<ReturnType<LocateFfmpeg>>, { signal }: Pick<Run, 'signal'>): StartFfmpeg {
  return args => startFfmpeg(found, ['-nostdin', '-loglevel', 'info', ...args], signal)
}

async function probe(source: InputFile, start: StartFfmpeg): Promise<Description> {
  const output = ['-vn', '-sn', '-dn', '-t', '0', '-f', 'null', '-']
  return readDescription(await stderrOf(start([...inputArguments(source), ...output])))
}

/** The recording and the request of a voice alone: what was recognised of another voice of the same file is not its own. */
export function ofVoice(
  source: Source,
  request: PipelineRequest,
  voice: HeardVoice = {},
): { source: Source; request: PipelineRequest } {
  const { stream, filter } = voice
  if (stream === undefined && filter === undefined) return { source, request }
  const { hash } = request
  return {
    source: { ...source, voice },
    request: { ...request, ...(hash && { hash: textHash(JSON.stringify([hash, stream, filter])) }) },
  }
}
