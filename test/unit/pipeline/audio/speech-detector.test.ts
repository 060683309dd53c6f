// The speech detector: built from its source, hears speech and nothing else, and may be missing.
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { compileDetector, hashOf, weightsHash } from '../../../../scripts/build-speech-detector.mjs'
import {
  loadSpeechDetector,
  openSpeechDetector,
  windowSize,
} from '../../../../src/pipeline/audio/speech-detector/speech-detector.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { rate, synthesise } from '../../../support/audio/synthetic-speech.ts'
import { fixture } from '../../../support/e2e/system.ts'

const folder = new URL('../../../../src/pipeline/audio/speech-detector/', import.meta.url)
const read = (name: string) => readFile(new URL(name, folder))

async function all(turns: AsyncIterable<Float32Array>): Promise<number[]> {
  const heard: number[] = []
  for await (const some of turns) heard.push(...some)
  return heard
}

/** Share of the windows that more likely than not are speech. */
async function share(turns: AsyncIterable<Float32Array>): Promise<number> {
  const heard = await all(turns)
  return heard.filter(value => value > 0.5).length / heard.length
}

async function samplesOf(name: string): Promise<Int16Array> {
  const format = ['-ac', '1', '-ar', String(rate), '-f', 's16le', 'pipe:1']
  const bytes = execFileSync(await testFfmpeg(), ['-v', 'error', '-i', fixture(name), ...format])
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1)
}

const chord = Int16Array.from({ length: 20 * rate }, (_, i) =>
  [220, 277.2, 329.6].reduce((sum, pitch) => sum + 2500 * Math.sin((2 * Math.PI * pitch * i) / rate), 0),
)

describe('the speech detector', () => {
  it('the speech detector is the program that its source compiles to, with the weights of its model', async () => {
    expect((await compileDetector()).equals(await read('silero.wasm'))).toBe(true)
    expect(hashOf(await read('silero-weights.bin'))).toBe(weightsHash)
  })

  it('the speech detector hears a voice, loud or soft, and neither music nor noise', async () => {
    const detector = (await loadSpeechDetector())!
    const voice = await samplesOf('jfk.wav')
    expect(await share(detector.listen(voice))).toBeGreaterThan(0.6)
    expect(await share(detector.listen(voice.map(sample => sample / 30)))).toBeGreaterThan(0.5)
    expect(await share(detector.listen(chord))).toBe(0)
    expect(
      await share(detector.listen(synthesise([{ kind: 'silence', seconds: 20 }], 9, 3000).samples)),
    ).toBe(0)
  })

  it('a look at every sixth window hears the same voice', async () => {
    const detector = (await loadSpeechDetector())!
    const voice = await samplesOf('jfk.wav')
    const [look, whole] = [detector.look(voice), detector.listen(voice)]
    expect(await all(look)).toHaveLength(Math.floor(voice.length / windowSize))
    expect(Math.abs((await share(detector.look(voice))) - (await share(whole)))).toBeLessThan(0.1)
    expect(await share(detector.look(chord))).toBe(0)
  })

  it('recordings that are heard at once do not disturb each other', async () => {
    const detector = (await loadSpeechDetector())!
    const voice = await samplesOf('jfk.wav')
    const alone = await all(detector.listen(voice))
    const [first, , second] = await Promise.all(
      [voice, chord, voice].map(sound => all(detector.listen(sound))),
    )
    expect(first).toEqual(alone)
    expect(second).toEqual(alone)
  })

  it('the speech detector is absent where WebAssembly cannot run it', async () => {
    const broken = (name: string) => (name.endsWith('wasm') ? Promise.resolve(Buffer.from('no')) : read(name))
    expect(await openSpeechDetector(broken)).toBeUndefined()
  })

  it('the speech detector is absent where its weights are cut off or missing', async () => {
    const cutOff = async (name: string) =>
      (await read(name)).subarray(0, name.endsWith('bin') ? -1 : undefined)
    expect(await openSpeechDetector(cutOff)).toBeUndefined()
    expect(await openSpeechDetector(() => read('none'))).toBeUndefined()
  })
})
