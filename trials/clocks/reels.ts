// Utterances of the fixtures, encoded once by each codec: a file is put together of their packets.
import { spawnSync } from 'node:child_process'
import { fixture, truth } from '../../test/support/e2e/system.ts'
import { type EncodedTrack, type Packet, readMatroska } from './matroska.ts'

export interface TimedWord {
  text: string
  /** Seconds. */
  start: number
  end: number
  /** Seconds by which its estimated time is late where the clock is no cause of it. */
  late?: number
}

export interface Utterance {
  /** Where it lies on the reel, with the silence around it. */
  from: number
  to: number
  /** Times are seconds on the reel. */
  words: TimedWord[]
}

/** Sound of a codec: silence, and all utterances. */
export interface Reel {
  entry: Buffer
  /** Times are seconds from the first packet. */
  utterance(number: number): { packets: Packet[]; words: TimedWord[] }
  silence: Packet[]
}

export interface Reels {
  utterances: readonly Utterance[]
  /** Undefined where this ffmpeg lacks the encoder. */
  reel(codec: string): Reel | undefined
  /** Undefined likewise. */
  picture(codec: string): EncodedTrack | undefined
  /** Says how late the words of all utterances are, in their order. */
  learn(words: readonly TimedWord[]): void
}

/** ffmpeg arguments. Packets are short and, in MP3, do not lean on earlier ones. */
export const codecs: Readonly<Record<string, string[]>> = {
  opus: ['-c:a', 'libopus', '-b:a', '32k'],
  'opus-60': ['-c:a', 'libopus', '-b:a', '24k', '-application', 'voip', '-frame_duration', '60'],
  vorbis: ['-c:a', 'libvorbis', '-ar', '44100'],
  aac: ['-c:a', 'aac', '-b:a', '64k'],
  'aac-stereo': ['-c:a', 'aac', '-ac', '2', '-ar', '44100', '-b:a', '96k'],
  mp3: ['-c:a', 'libmp3lame', '-ar', '44100', '-b:a', '64k', '-reservoir', '0'],
  mp2: ['-c:a', 'mp2', '-b:a', '96k'],
  ac3: ['-c:a', 'ac3', '-b:a', '96k'],
  flac: ['-c:a', 'flac', '-ar', '16000'],
  alac: ['-c:a', 'alac'],
  pcm: ['-af', 'aresample=16000,asetnsamples=320', '-c:a', 'pcm_s16le'],
  speex: ['-c:a', 'libspeex', '-ar', '16000'],
  amr: ['-c:a', 'libopencore_amrnb', '-ar', '8000', '-b:a', '12.2k'],
  wma: ['-c:a', 'wmav2', '-ar', '44100', '-b:a', '64k'],
}
const pictureCodecs: Readonly<Record<string, string[]>> = {
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-bf', '0', '-pix_fmt', 'yuv420p'],
  vp8: ['-c:v', 'libvpx', '-g', '10', '-auto-alt-ref', '0'],
  mpeg2: ['-c:v', 'mpeg2video', '-g', '10', '-bf', '0'],
}
const pictureSize: Readonly<Record<string, string>> = { mpeg2: 's=64x64:r=25' }

const rate = 48_000
const leadSeconds = 3
const marginSeconds = 0.2
const betweenSeconds = 0.3
/** Seconds between two utterances of a fixture, at least: each takes half of it along. */
const minPauseSeconds = 2 * marginSeconds
const [minSeconds, maxSeconds, minWords] = [1.8, 5, 6]
const maxUtterances = 24
const pictureSeconds = 120

export function createReels(ffmpeg: string): Reels {
  const run = (args: string[], input?: Buffer): Buffer | undefined => {
    const { status, stdout } = spawnSync(ffmpeg, ['-v', 'error', ...args], { input, maxBuffer: 2 ** 28 })
    return status === 0 && stdout.length > 0 ? stdout : undefined
  }
  const decoded = (file: string) =>
    run(['-nostdin', '-i', fixture(file), '-vn', '-f', 's16le', '-ac', '1', '-ar', `${rate}`, 'pipe:1'])!
  const sound: Buffer[] = [silenceOf(leadSeconds)]
  const utterances: Utterance[] = []
  let at = leadSeconds
  for (const name of ['clip', 'voice-note', 'meeting', 'interview']) {
    const { recording, words } = truth(name)
    const samples = decoded(recording)
    for (const said of phrasesOf(words).slice(0, maxUtterances / 4)) {
      const [start, end] = [said[0]!.start - marginSeconds, said.at(-1)!.end + marginSeconds]
      const part = samples.subarray(2 * Math.round(start * rate), 2 * Math.round(end * rate))
      const seconds = part.length / 2 / rate
      utterances.push({
        from: at,
        to: at + seconds,
        words: said.map(word => ({
          text: word.text,
          start: word.start - start + at,
          end: word.end - start + at,
        })),
      })
      sound.push(part, silenceOf(betweenSeconds))
      at += seconds + betweenSeconds
    }
  }
  const samples = Buffer.concat(sound)

  function encode(codec: string): Reel | undefined {
    const input = ['-f', 's16le', '-ar', `${rate}`, '-ac', '1', '-i', 'pipe:0', '-ar', `${rate}`]
    const bytes = run([...input, ...codecs[codec]!, '-f', 'matroska', 'pipe:1'], samples)
    if (!bytes) return undefined
    const { entry, packets } = readMatroska(bytes)[0]!
    const slice = (from: number, to: number) =>
      packets.filter(({ time, end }) => (time + end) / 2 >= from && (time + end) / 2 < to)
    return {
      entry,
      silence: slice(0.5, leadSeconds - 0.5),
      utterance(number) {
        const { from, to, words } = utterances[number]!
        const own = slice(from, to)
        const by = -own[0]!.time
        return {
          packets: own.map(one => shifted(one, by)),
          words: words.map(one => shifted(one, by)),
        }
      },
    }
  }
  function draw(codec: string): EncodedTrack | undefined {
    const size = pictureSize[codec] ?? 's=64x64:r=10'
    const input = ['-nostdin', '-f', 'lavfi', '-i', `testsrc=${size}:d=${pictureSeconds}`]
    const bytes = run([...input, ...pictureCodecs[codec]!, '-f', 'matroska', 'pipe:1'])
    return bytes && readMatroska(bytes)[0]
  }
  function learn(words: readonly TimedWord[]): void {
    for (const [i, word] of utterances.flatMap(utterance => utterance.words).entries())
      word.late = words[i]?.late
  }
  return { utterances, reel: remembered(encode), picture: remembered(draw), learn }
}

/** Moves a packet or a word. */
export function shifted<T extends Packet | TimedWord>(span: T, by: number): T {
  const end = span.end + by
  return 'time' in span ? { ...span, time: span.time + by, end } : { ...span, start: span.start + by, end }
}

/** Phrases between pauses, which the emulator recognises alone. */
function phrasesOf(words: readonly TimedWord[]): TimedWord[][] {
  const phrases: TimedWord[][] = []
  for (const [i, word] of words.entries()) {
    const isNew = i === 0 || word.start - words[i - 1]!.end >= minPauseSeconds
    if (isNew) phrases.push([word])
    else phrases.at(-1)!.push(word)
  }
  return phrases.filter(phrase => {
    const seconds = phrase.at(-1)!.end - phrase[0]!.start
    return phrase.length >= minWords && seconds >= minSeconds && seconds <= maxSeconds
  })
}

/** Hardly audible noise: some encoders leave digital silence out. */
function silenceOf(seconds: number): Buffer {
  const samples = Int16Array.from({ length: seconds * rate }, (_, i) => ((i * 7919) % 5) - 2)
  return Buffer.from(samples.buffer)
}

function remembered<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>()
  return key => {
    if (!made.has(key)) made.set(key, make(key))
    return made.get(key)!
  }
}
