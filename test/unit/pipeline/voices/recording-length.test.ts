// The length of a recording before it is decoded: the price that a user agrees to depends on it.
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLength } from '../../../../src/pipeline/voices/recording-length.ts'
import { locateTestFfmpeg, testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { type TempFolder, tempFolder } from '../../../support/e2e/system.ts'

let folder: TempFolder
let ffmpeg: string

beforeAll(async () => {
  folder = await tempFolder()
  ffmpeg = await testFfmpeg()
})
afterAll(() => folder.remove())

const run = { signal: new AbortController().signal, scratch: async () => folder.path }

function recording(name: string, seconds: number, ...codec: string[]): string {
  const file = join(folder.path, name)
  execFileSync(ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', `sine=d=${seconds}`, ...codec, file])
  return file
}

describe('the length of a recording', () => {
  it.each([
    ['flac'],
    ['wv'],
    ['wav'],
    ['au'],
    ['mp3'],
    ['aac'],
    ['ac3'],
    ['ogg', '-c:a', 'libopus'],
    ['webm', '-c:a', 'libopus'],
    ['mkv', '-c:a', 'aac'],
    ['ts', '-c:a', 'aac'],
    ['mpg', '-c:a', 'mp2'],
    ['avi', '-c:a', 'mp3'],
  ])('counts all files that were joined to a .%s', async (ending, ...codec) => {
    const parts = [4, 2, 3].map(seconds => recording(`${seconds}.${ending}`, seconds, ...codec))
    const joined = join(folder.path, `joined.${ending}`)
    await writeFile(joined, Buffer.concat(await Promise.all(parts.map(part => readFile(part)))))
    const { seconds } = await readLength(joined, locateTestFfmpeg, run)
    expect(Math.abs(seconds! - 9)).toBeLessThan(0.4)
  })

  it('is that of the header for a single file', async () => {
    const { seconds, tracks, channels } = await readLength(recording('one.m4a', 4), locateTestFfmpeg, run)
    expect({ seconds: Math.round(seconds!), tracks, channels }).toEqual({
      seconds: 4,
      tracks: 1,
      channels: 1,
    })
  })
})
