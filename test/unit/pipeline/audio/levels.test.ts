// The level of a decoded recording: channels are mixed as ffmpeg mixes them by itself, and never clipped.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { decodedSamples } from '../../../support/audio/hear.ts'
import { type TempFolder, tempFolder } from '../../../support/e2e/system.ts'

let folder: TempFolder
let ffmpeg: string

beforeAll(async () => {
  folder = await tempFolder()
  ffmpeg = await testFfmpeg()
})
afterAll(() => folder.remove())

const loud = '0.97*sin(2764*t)'

function levelsOf(samples: Int16Array): { meanDb: number; peak: number; atLimit: number } {
  let [sum, peak, atLimit] = [0, 0, 0]
  for (const sample of samples) {
    sum += sample ** 2
    peak = Math.max(peak, Math.abs(sample))
    if (sample === 32_767 || sample === -32_768) atLimit++
  }
  return { meanDb: 10 * Math.log10(sum / samples.length / 32_768 ** 2), peak, atLimit }
}

it.each([
  ['one channel', 'mono', [loud], 'wav'],
  ['two channels with the same sound', 'stereo', [loud, loud], 'wav'],
  ['two channels with the same sound, as Opus', 'stereo', [loud, loud], 'opus'],
  ['one dead side', 'stereo', [loud, '0'], 'wav'],
  ['four channels with the same sound', 'quad', [loud, loud, loud, loud], 'wav'],
  ['5.1 with the same sound everywhere', '5.1', [loud, loud, loud, loud, loud, loud], 'wav'],
])('%s is as loud as by itself, and not clipped', async (name, layout, channels, ending) => {
  const file = join(folder.path, `${name}.${ending}`)
  const source = `aevalsrc=${channels.join('|')}:c=${layout}:s=48000:d=2`
  const codec = ending === 'opus' ? ['-c:a', 'libopus', '-b:a', '192k'] : ['-c:a', 'pcm_s16le']
  execFileSync(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', source, ...codec, file])
  const args = ['-v', 'error', '-i', file, '-ac', '1', '-ar', '16000', '-f', 's16le', 'pipe:1']
  const plain = execFileSync(ffmpeg, args)
  const expected = levelsOf(
    new Int16Array(plain.buffer.slice(plain.byteOffset, plain.byteOffset + plain.length)),
  )
  const found = levelsOf(await decodedSamples(file))
  expect(found.meanDb).toBeCloseTo(expected.meanDb, 0)
  expect(found.atLimit).toBeLessThanOrEqual(expected.atLimit)
})
