// Gaps within pages of Ogg, whose packets have no times of their own: no word is torn apart.
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { hear, toneSamples } from '../../../support/audio/hear.ts'
import { withPositionOff } from '../../../support/audio/ogg.ts'
import { type TimedSound, timedMatroska } from '../../../support/audio/timed-matroska.ts'
import { type TempFolder, tempFolder } from '../../../support/e2e/system.ts'

let folder: TempFolder

beforeAll(async () => {
  folder = await tempFolder()
})
afterAll(() => folder.remove())

const at = (time: number, seconds: number, tones: number[]): TimedSound => ({
  time,
  samples: toneSamples(seconds, tones),
})

// The encoder puts the first samples behind a gap into the packet before it.
describe('a gap in an Ogg', () => {
  it.each<[string, number, TimedSound[], number[]]>([
    ['of one packet a page', 0.06, [at(0, 1.2, [0.5]), at(1.74, 1.2, [0.06])], [0.5, 1.8]],
    ['within a page, before a word', 1, [at(0, 1.32, [0.5]), at(1.8, 2, [0.1])], [0.5, 1.9]],
    ['within a page, behind a word', 1, [at(0, 1.62, [0.3, 0.95, 1.1]), at(2, 2, [0.5])], [0.3, 0.95, 2.5]],
    ['within the last page', 1, [at(0, 1.32, [0.5]), at(1.8, 0.3, [0.06])], [0.5, 1.86]],
  ])('%s stands between its words', async (name, pageSeconds, sounds, tones) => {
    const [made, file] = ['mkv', 'ogg'].map(ending => join(folder.path, `${name}.${ending}`))
    await writeFile(made!, timedMatroska(sounds))
    const pages = ['-page_duration', String(pageSeconds * 1e6)]
    const codec = ['-c:a', 'libopus', '-frame_duration', '60']
    execFileSync(await testFfmpeg(), ['-v', 'error', '-i', made!, ...codec, ...pages, file!])
    const found = await hear(file!)
    expect(found.tones).toHaveLength(tones.length)
    for (const [i, start] of tones.entries()) expect(Math.abs(found.tones[i]! - start)).toBeLessThan(0.06)
    expect(found.warnings).toEqual([])
  })
})

const tones = Array.from({ length: 30 }, (_, second) => second + 0.4)

describe('a page of an Ogg whose position is wrong', () => {
  it.each([
    ['Opus', 'libopus', 48_000, 10, true],
    ['Opus that is damaged', 'libopus', 48_000, 21, false],
    ['Vorbis', 'libvorbis', 16_000, 10, true],
    ['Opus, too low', 'libopus', 48_000, -5, true],
    ['Vorbis, too low', 'libvorbis', 16_000, -8, true],
  ])('moves no other word of %s', async (name, codec, samplesPerSecond, seconds, isValid) => {
    const [made, file] = ['mkv', 'ogg'].map(ending => join(folder.path, `wrong ${name}.${ending}`))
    await writeFile(made!, timedMatroska([at(0, 31, tones)]))
    execFileSync(await testFfmpeg(), [
      '-v',
      'error',
      '-i',
      made!,
      '-c:a',
      codec,
      '-page_duration',
      '1e6',
      file!,
    ])
    await writeFile(file!, withPositionOff(await readFile(file!), 8, seconds * samplesPerSecond, isValid))
    const found = await hear(file!)
    const isFound = (tone: number) => found.tones.some(start => Math.abs(start - tone) < 0.06)
    // Sound of the page itself may be lost.
    expect(tones.filter(tone => !isFound(tone)).length).toBeLessThanOrEqual(isValid ? 0 : 2)
    expect(Math.abs(found.seconds - 31)).toBeLessThan(0.1)
  })
})
