// Audio matching: the recognised text is what the audio contains, whatever was done to it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DashscopeEmulator, startDashscope } from '../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../support/audio/ffmpeg.ts'
import {
  asrRequest,
  encode,
  join,
  NARROW,
  post,
  read,
  samplesOf,
  truthOf,
  WIDE,
} from '../support/emulators/dashscope-client.ts'
import {
  createSeededRandom,
  escaped,
  patternFor,
  squeezed,
  wholly,
} from '../support/emulators/expected-words.ts'

const unknownText = '(the emulator knows only its own recordings)'
let ffmpeg: string
let cloud: DashscopeEmulator

beforeAll(async () => {
  ffmpeg = await testFfmpeg()
  cloud = await startDashscope({ ffmpeg })
  await cloud.warmUp()
})
afterAll(() => cloud.close())

const recording = (name: string) => samplesOf(ffmpeg, name)

/** From and to in seconds. */
function part(name: string, from: number, to: number, volume = 1): Float32Array {
  return recording(name)
    .slice(Math.round(from * 16000), Math.round(to * 16000))
    .map(sample => Math.max(-1, Math.min(1, sample * volume)))
}

async function recognise(
  samples: Float32Array,
  profile = WIDE,
): Promise<{ text: string; language: string | undefined }> {
  const response = await post(cloud, asrRequest(encode(ffmpeg, samples, profile)))
  const body = await read(response)
  expect(response.status, JSON.stringify(body)).toBe(200)
  const { content, annotations } = body.output.choices[0]!.message
  return { text: content[0]?.text ?? '', language: annotations?.[0]?.language }
}

const textOf = (name: string, until = Number.POSITIVE_INFINITY) => {
  const { words, joiner } = truthOf(name)
  const inside = words.filter(word => word.end <= until)
  return inside.map(word => word.text).join(joiner)
}

describe('whole recordings', () => {
  for (const name of [
    'voice-note.ogg',
    'jfk.wav',
    'chinese.flac',
    'russian.flac',
    'clip.mp4',
    'meeting.m4a',
  ]) {
    it(`a whole recording is recognised word for word with its language: ${name}`, async () => {
      expect(await recognise(recording(name))).toEqual({
        text: textOf(name),
        language: truthOf(name).language,
      })
      expect((await recognise(recording(name), NARROW)).text).toBe(textOf(name))
    })
  }
})

describe('excerpts', () => {
  const random = createSeededRandom(11)
  for (const [i, name] of ['interview.mp3', 'meeting.m4a', 'interview.mp3', 'meeting.m4a'].entries()) {
    it(`an excerpt contains its whole words, and cut words are wrong (${i + 1}: ${name})`, async () => {
      const truth = truthOf(name)
      for (const profile of [WIDE, NARROW]) {
        const from = random() * (truth.duration - 80)
        const to = from + 0.7 * 100 ** random()
        const volume = 10 ** ((random() * 24 - 12) / 20)
        const { text } = await recognise(
          join(part(name, from, to, volume), Math.max(0, 1 - (to - from))),
          profile,
        )
        expect(squeezed(text), `${from} to ${to}`).toMatch(wholly(patternFor(truth, from, to)))
      }
    })
  }

  it('a word that is cut in the middle is shortened, never whole', async () => {
    const { words } = truthOf('interview.mp3')
    const long = words.filter(word => word.end - word.start > 0.4).slice(3, 9)
    for (const word of long) {
      const middle = (word.start + word.end) / 2
      const before = (await recognise(part('interview.mp3', middle - 3, middle))).text.split(' ').at(-1)!
      const after = (await recognise(part('interview.mp3', middle, middle + 3))).text.split(' ')[0]!
      const chars = word.text.replace(/[^\p{L}\p{N}]/gu, '')
      expect(chars.startsWith(before) && before.length < chars.length, `${before} of ${word.text}`).toBe(true)
      expect(chars.endsWith(after) && after.length < chars.length, `${after} of ${word.text}`).toBe(true)
    }
  })

  it('excerpts joined with silence, repeated and at different volumes are recognised in order', async () => {
    const plan: [string, number, number, number][] = [
      ['meeting.m4a', 31.2, 43.7, 0.6],
      ['chinese.flac', 0, 14.8, 1.4],
      ['meeting.m4a', 31.2, 43.7, 0.3],
      ['voice-note.ogg', 0, 7.1, 1],
      ['voice-note.ogg', 2.4, 5.9, 1.2],
    ]
    for (const profile of [WIDE, NARROW]) {
      const audio = plan.flatMap(([name, from, to, volume]) => [part(name, from, to, volume), 0.8])
      const patterns = plan.map(([name, from, to]) => patternFor(truthOf(name), from, to))
      const { text } = await recognise(join(...audio), profile)
      expect(squeezed(text)).toMatch(wholly(...patterns))
    }
  })

  it('audio in two languages gets the language of most words', async () => {
    const { language } = await recognise(join(recording('jfk.wav'), 1, part('russian.flac', 0, 4)))
    expect(language).toBe('en')
  })

  it('audio without its pauses loses no word', async () => {
    const { words } = truthOf('meeting.m4a')
    const some = words.slice(40, 120)
    const audio: Float32Array[] = []
    let from = some[0]!.start
    for (const [i, word] of some.entries()) {
      const next = some[i + 1]
      if (next && next.start - word.end < 0.3) continue
      audio.push(part('meeting.m4a', from, word.end + 0.05))
      from = (next?.start ?? 0) - 0.05
    }
    expect(audio.length).toBeGreaterThan(3)
    expect((await recognise(join(...audio))).text).toBe(some.map(word => word.text).join(' '))
  })
})

describe('other sound', () => {
  const random = createSeededRandom(5)
  const noise = (seconds: number, level: number) =>
    new Float32Array(seconds * 16000).map(() => level * (random() + random() + random() - 1.5))
  // A melody, unlike anything in the recordings.
  const unknown = (seconds: number) =>
    new Float32Array(seconds * 16000).map((_, i) => {
      const note = Math.floor(i / 3200)
      return (
        0.2 *
        Math.sin((i * 2 * Math.PI * (220 + 55 * ((note * 5) % 7))) / 16000) *
        Math.exp(-(i % 3200) / 2000)
      )
    })

  it('silence and low noise have no words', async () => {
    expect((await recognise(join(8))).text).toBe('')
    expect((await recognise(noise(8, 0.01))).text).toBe('')
  })

  it('unknown sound is reported as such', async () => {
    expect((await recognise(unknown(6))).text).toBe(unknownText)
  })

  it('unknown sound between excerpts is reported once, and not at all if it is short', async () => {
    const note = recording('voice-note.ogg')
    const text = textOf('voice-note.ogg')
    const long = await recognise(join(note, 0.3, unknown(4), 0.4, unknown(3), 0.5, note))
    expect(squeezed(long.text)).toMatch(wholly(escaped(text), escaped(unknownText), escaped(text)))
    const short = await recognise(join(note, 0.3, unknown(0.8), 0.5, note))
    expect(short.text).toBe(`${text} ${text}`)
  })
})
