// Recordings whose channels are not those of loudspeakers, cancel each other or are very quiet: the speech is heard.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lavfi, makeAudio, transcribe } from '../../support/e2e/requests.ts'
import { fixture, type System, startSystem, truth, truthText } from '../../support/e2e/system.ts'

let system: System
/** 16 kHz, one after the other: the second voice speaks when the first one has ended. */
let voices: [Int16Array, Int16Array]

beforeAll(async () => {
  system = await startSystem()
  const delayed = ['-i', fixture('voice-note.ogg'), '-af', 'aresample=16000,adelay=11000']
  const files = [['-i', fixture('jfk.wav')], delayed].map((args, i) =>
    makeAudio(system, `voice${i}.raw`, [...args, '-ac', '1', '-ar', '16000', '-f', 's16le']),
  )
  const [first, second] = await Promise.all(files.map(async file => samplesOf(await readFile(await file))))
  voices = [first!, second!]
})
afterAll(() => system.close())

const both = `${truthText(truth('jfk'))} ${truthText(truth('voice-note'))}`

function samplesOf(bytes: Buffer): Int16Array {
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

/** A WAV of 32-bit floats; a channel is a voice and its gain. Recorders write no mask, so that no channel has a place. */
async function floatWav(
  name: string,
  count: number,
  places: Record<number, [voice: number, gain: number][]>,
) {
  const length = Math.max(...voices.map(one => one.length))
  const data = new Float32Array(length * count)
  for (const [channel, parts] of Object.entries(places))
    for (const [voice, gain] of parts)
      voices[voice]!.forEach((sample, i) => {
        data[i * count + Number(channel)]! += (sample / 32_768) * gain
      })
  const head = Buffer.from('RIFF____WAVEfmt \x10\0\0\0\x03\0__\x80\x3e\0\0____@\0 \0data____', 'latin1')
  head.writeUInt32LE(36 + data.byteLength, 4)
  head.writeUInt16LE(count, 22)
  head.writeUInt32LE(64_000 * count, 28)
  head.writeUInt16LE(4 * count, 32)
  head.writeUInt32LE(data.byteLength, 40)
  const file = join(system.folder, name)
  await writeFile(file, Buffer.concat([head, Buffer.from(data.buffer)]))
  return file
}

const wordsOf = async (file: string) => (await transcribe(system, file)).words
const one: [number, number][] = [[0, 1]]
const other: [number, number][] = [[1, 1]]
const mixed = (gain: number): [number, number][] => [
  [0, gain],
  [1, gain],
]

describe('microphones in one file', () => {
  it.each([
    [3, 0, 2],
    [6, 0, 3],
    [10, 8, 9],
  ])('of %i channels, those at %i and %i are heard', async (count, first, second) => {
    const file = await floatWav(`mics${count}.wav`, count, { [first]: one, [second]: other })
    expect(await wordsOf(file)).toBe(both)
  })

  it.each([
    ['MOV', 'mov', 3, 0, 2],
    ['FLAC', 'flac', 8, 0, 3],
  ])('are heard where %s takes them for loudspeakers', async (_, ending, count, first, second) => {
    const wav = await floatWav(`${ending}.wav`, count, { [first]: one, [second]: other })
    const coding = ['-i', wav, ...(ending === 'mov' ? ['-c:a', 'pcm_s16le'] : [])]
    expect(await wordsOf(await makeAudio(system, `loudspeakers.${ending}`, coding))).toBe(both)
  })

  it('with one speaker each are speakers of their own', async () => {
    const audio = await floatWav('lapels.wav', 3, { 0: one, 2: other })
    const { data } = await system.call('diarize_audio', { audio })
    expect(data.text).toContain('S1: And so, my fellow Americans')
    expect(data.text).toContain('S2: Hi Greta!')
    expect(data.upload).toBeUndefined()
  })
})

describe('two sides of a recording', () => {
  it.each([
    ['hum', 18, 'sine=f=100:d=19,volume=12dB'],
    ['hum', 40, 'sine=f=100:d=40,volume=12dB'],
  ])(
    'are heard where %s on one is louder than the voice on the other, for %d s',
    async (name, seconds, sound) => {
      const voice = await floatWav('beside.wav', 1, { 0: mixed(0.2) })
      const graph = `[0]apad,atrim=end=${seconds}[v];[1]aresample=16000[n];[n][v]join=inputs=2:channel_layout=stereo`
      const args = ['-i', voice, ...lavfi(sound), '-filter_complex', graph, '-shortest']
      const file = await makeAudio(system, `${name}${seconds}.wav`, args)
      const asked = system.dashscope.requests.length
      expect(await wordsOf(file)).toBe(both)
      // The mix, which is made ready meanwhile, is not sent.
      expect(system.dashscope.requests.length).toBe(asked + 1)
    },
  )

  it('that are each other’s opposite are heard, without a warning of their silent mix', async () => {
    const file = await floatWav('opposite.wav', 2, { 0: mixed(1), 1: mixed(-1) })
    const { words, warnings } = await transcribe(system, file)
    expect(words).toBe(both)
    expect(warnings ?? []).toEqual([])
  })

  it.each([
    ['Vorbis', 'ogg', ['-c:a', 'libvorbis', '-q:a', '1']],
    ['MP2', 'mp2', ['-c:a', 'mp2', '-b:a', '96k']],
  ])('that are opposite in %s are heard, though their coded mix is not silent', async (_, ending, coding) => {
    const whole = await floatWav('opposite.wav', 2, { 0: mixed(1), 1: mixed(-1) })
    const args = ['-ss', '11', '-i', whole, '-ar', '44100', ...coding]
    const { words, warnings } = await transcribe(system, await makeAudio(system, `opposite.${ending}`, args))
    expect(words).toBe(truthText(truth('voice-note')))
    expect(warnings ?? []).toEqual([])
  })

  it('with a voice each are both heard, 30 dB apart', async () => {
    const silence = lavfi('aevalsrc=0:s=16000:d=12')
    const short = await floatWav('short.wav', 2, { 0: one, 1: [[1, 0.0316]] })
    const graph = ['-filter_complex', '[1:a]aformat=channel_layouts=stereo[s];[0:a][s]concat=v=0:a=1']
    const file = await makeAudio(system, 'far.flac', ['-i', short, ...silence, ...graph])
    expect(await wordsOf(file)).toBe(both)
  })
})

describe('a very quiet recording', () => {
  it.each([
    ['of floats', 3e-5, []],
    ['of floats in stereo', 3e-5, ['-ac', '2']],
    ['of 24 bits', 2e-4, ['-c:a', 'pcm_s24le']],
  ])('%s is raised before it becomes 16 bits', async (name, gain, args) => {
    const file = await floatWav('quiet.wav', 1, { 0: mixed(gain) })
    const coded = ['-i', file, '-c:a', 'pcm_f32le', ...args]
    expect(await wordsOf(await makeAudio(system, `${name.replaceAll(' ', '-')}.wav`, coded))).toBe(both)
  })
})
