// Finds the voices of a recording: which of its tracks and channels are heard, together or apart.
import pLimit from 'p-limit'
import type { PipelineRequest } from '../../domain/job.ts'
import type { Run } from '../../domain/run.ts'
import { frameLevel, frameSize, sampleRate } from '../audio/activity.ts'
import { type Decoding, decode } from '../audio/decode.ts'
import { type InputFile, inputArguments } from '../audio/demuxers.ts'
import { maxVoiceNoteBytes } from '../audio/encode.ts'
import { type LocateFfmpeg, startFfmpeg } from '../audio/ffmpeg.ts'
import { textHash } from '../audio/fingerprint.ts'
import { contrastDb } from '../audio/speech-detector/heard-speech.ts'
import { loadSpeechDetector } from '../audio/speech-detector/speech-detector.ts'
import type { ChunkPorts } from '../chunks/transcribe-chunks.ts'
import type { Source } from '../source/source.ts'
import { type ChannelRequest, chooseChannels } from './choose-channels.ts'
import { type Description, isDescribed, readDescription, type Track } from './description.ts'
import { findTracks, type TrackRequest } from './find-tracks.ts'
import { meanLevel } from './levels.ts'
import type { HeardVoice } from './voice.ts'
import { concurrency, maxQuietPeakDbfs, type StartFfmpeg, stderrOf } from './windows.ts'

export interface Hearing {
  /** One, or several that are heard apart. */
  voices: readonly HeardVoice[]
  /** The decoder of the only voice, already at work. */
  decoding?: Decoding
  /** Resolves with the voices to hear instead, where a closer look finds others. */
  others?: Promise<readonly HeardVoice[] | undefined>
}

type Request = TrackRequest & ChannelRequest

/** A mix with a louder sample is neither very quiet nor what remains of opposite sides. */
const quietSample = 32_768 * 10 ** (maxQuietPeakDbfs / 20)
/** Opposite sides leave the errors of their coding in the mix: loud for moments, and far below speech on the whole. */
const quietMeanDbfs = -36
/** Decoded at most before the voices are known: a minute. */
const maxAheadBytes = 60 * 2 * sampleRate
/** A shorter recording is not delayed by a look at both its channels, unless its mix is quiet or even. */
const minStereoSeconds = 30
/** Speech has pauses; where a hum or noise fills them, it may come from one side alone. */
const minContrastDb = 18

/**
 * Starts the decoder, which describes the file: a second ffmpeg would delay a voice note. Looks closer only where there
 * is a choice, while its samples are used. Throws the errors of the decoder, and `TRACK_NOT_FOUND`.
 */
export async function openVoices(
  source: Source,
  request: Request,
  { ffmpeg, warmUp }: Pick<ChunkPorts, 'ffmpeg' | 'warmUp'>,
  run: Run,
): Promise<Hearing> {
  const located = await ffmpeg()
  const locate = async () => located
  const decoding = decode(source, locate, run, { voiceNote: source.bytes <= maxVoiceNoteBytes })
  const ahead = readAhead(decoding.samples)
  const described = ahead.readWhile(() => !isDescribed(decoding.description()))
  // While ffmpeg starts, this process has nothing else to do.
  setImmediate(() => {
    void loadSpeechDetector()
    warmUp?.()
  })
  await described
  run.signal.throwIfAborted()
  const description = readDescription(decoding.description())
  const start = starter(located, run)
  const tracks = await tracksOf(source, description, request, start, run)
  const [usual] = tracks
  if (usual && (tracks.length > 1 || usual.stream !== description.stream)) {
    await ahead.stop()
    return { voices: await look() }
  }
  const others = usual && (await isDoubtful(usual)) ? look().then(otherThanUsual) : undefined
  // Its reader may fail before it is awaited.
  others?.catch(() => {})
  return { voices: [{}], decoding: { ...decoding, samples: ahead.resumed() }, ...(others && { others }) }

  async function look(): Promise<HeardVoice[]> {
    const voices = await voicesOf(source, tracks, description, request, start)
    run.signal.throwIfAborted()
    return voices
  }

  /** True where the usual mix may leave out, cancel or drown a voice. */
  async function isDoubtful(track: Track): Promise<boolean> {
    if (track.channels > 2) return true
    const isStereo = track.channels === 2
    if (!isStereo && !track.isFine) return false
    const { duration = Number.POSITIVE_INFINITY } = description
    if (isStereo && duration > minStereoSeconds) return true
    await ahead.readWhile(() => isStereo || !ahead.isLoud())
    if (!isStereo || !ahead.isLoud()) return !ahead.isLoud()
    const { meanDbfs, contrast } = ahead.levels()
    return meanDbfs < quietMeanDbfs || contrast < minContrastDb
  }
}

function otherThanUsual(voices: HeardVoice[]): HeardVoice[] | undefined {
  return voices.some(({ stream, filter }) => stream !== undefined || filter) ? voices : undefined
}

/** Reads a stream in advance; what was read comes first when it is resumed, and an error last. */
function readAhead(stream: AsyncIterable<Buffer>) {
  const rest = stream[Symbol.asyncIterator]() as AsyncGenerator<Buffer>
  const read: Buffer[] = []
  let bytes = 0
  let isLoud = false
  let failure: unknown
  async function readWhile(isWanted: () => boolean): Promise<void> {
    try {
      while (isWanted() && bytes < maxAheadBytes) {
        const { value, done } = await rest.next()
        if (done) return
        read.push(value)
        bytes += value.length
        isLoud ||= hasLoudSample(value)
      }
    } catch (error) {
      failure ??= error
    }
  }
  return {
    isLoud: () => isLoud,
    /** Of what was read: its level, and the decibels between its loud and quiet parts. */
    levels: () => {
      const all = Buffer.concat(read)
      const samples = new Int16Array(all.buffer, all.byteOffset, all.length >> 1)
      const levels = Array.from({ length: Math.floor(samples.length / frameSize) }, (_, i) =>
        frameLevel(samples, i * frameSize, samples[i * frameSize - 1] ?? 0),
      )
      return { meanDbfs: meanLevel(levels), contrast: contrastDb(levels) }
    },
    readWhile,
    stop: () => rest.return(undefined),
    async *resumed(): AsyncGenerator<Buffer> {
      try {
        yield* read.splice(0)
        if (failure) throw failure
        yield* rest
      } finally {
        await rest.return(undefined)
      }
    },
  }
}

function hasLoudSample(buffer: Buffer): boolean {
  for (let at = 0; at + 1 < buffer.length; at += 2)
    if (Math.abs(buffer.readInt16LE(at)) > quietSample) return true
  return false
}

/** The tracks to hear; where there is no choice, the one that ffmpeg takes. Empty without any. */
async function tracksOf(
  source: InputFile,
  description: Description,
  request: Request,
  start: StartFfmpeg,
  run: Pick<Run, 'warn'>,
): Promise<Track[]> {
  const { tracks, stream } = description
  const isChoice = tracks.length > 1 || (request.track !== undefined && tracks.length > 0)
  const found = isChoice ? await findTracks(source, description, request, start, run) : []
  const usual = tracks.find(one => one.stream === stream) ?? tracks[0]
  return found.length > 0 || !usual ? found : [usual]
}

/** The same before anything is decoded. An unreadable file has one voice; its decoder reports the error. */
export async function findVoices(
  source: Pick<Source, 'file'>,
  request: Request,
  ffmpeg: LocateFfmpeg,
  run: Pick<Run, 'signal' | 'warn'>,
): Promise<Hearing> {
  const start = starter(await ffmpeg(), run)
  const description = await probe(source, start)
  run.signal.throwIfAborted()
  const tracks = await tracksOf(source, description, request, start, run)
  run.signal.throwIfAborted()
  if (tracks.length === 0) return { voices: [{}] }
  const voices = await voicesOf(source, tracks, description, request, start)
  run.signal.throwIfAborted()
  if (tracks.length === 1 && voices.length > 1) {
    const count = voices.length === 2 ? 'two' : voices.length
    run.warn(`Each of the ${count} channels carries its own voice; each was taken as one speaker.`)
  }
  return { voices }
}

/** The voices of the tracks to hear: of one, its mix or its channels apart; of several, one for each. */
async function voicesOf(
  source: InputFile,
  tracks: readonly Track[],
  { stream, duration }: Description,
  request: Request,
  start: StartFfmpeg,
): Promise<HeardVoice[]> {
  const isOne = tracks.length === 1
  const options = { ...request, isApart: isOne && request.isApart }
  const found = await pLimit(concurrency).map(tracks, async track => {
    const voices = await chooseChannels(source, track, duration, options, start)
    const own = isOne && track.stream === stream ? {} : { stream: track.stream }
    return voices.map(voice => ({ ...voice, ...own, ...(!isOne && speakerOf(track, tracks)) }))
  })
  return found.flat()
}

function speakerOf({ number, title }: Track, all: readonly Track[]): Pick<HeardVoice, 'key' | 'title'> {
  const isUnique = all.filter(one => one.title === title).length === 1
  return { key: `track:${number}`, ...(title && isUnique && { title }) }
}

function starter(found: Awaited<ReturnType<LocateFfmpeg>>, { signal }: Pick<Run, 'signal'>): StartFfmpeg {
  return args => startFfmpeg(found, ['-nostdin', '-loglevel', 'info', ...args], signal, 'now')
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
