// Speex is decoded by libspeex, where ffmpeg has it.
import { execFileSync } from 'node:child_process'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LocateFfmpeg } from '../../../../src/pipeline/audio/ffmpeg.ts'
import { withSpeexDecoder } from '../../../../src/pipeline/audio/speex.ts'
import { packagedFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { fixture, type TempFolder, tempFolder } from '../../../support/e2e/system.ts'

let folder: TempFolder
beforeAll(async () => {
  folder = await tempFolder()
})
afterAll(() => folder.remove())

const run = { signal: new AbortController().signal }
const packaged = async () => ({ path: await packagedFfmpeg() })
const libspeex = ['-c:a', 'libspeex']

async function inputOptionsOf(name: string, coding: string[], ffmpeg: LocateFfmpeg = packaged) {
  const file = join(folder.path, name)
  execFileSync(await packagedFfmpeg(), ['-v', 'error', '-y', '-i', fixture('jfk.wav'), ...coding, file])
  const { size } = await stat(file)
  return (await withSpeexDecoder({ file, name, bytes: size }, ffmpeg, run)).inputOptions
}

describe('a recording in Speex', () => {
  it.each([
    ['Ogg', 'wide.ogg', ['-ar', '16000']],
    ['Matroska', 'wide.mka', ['-ar', '32000']],
    ['Matroska with two tracks', 'two.mka', ['-map', '0', '-map', '0', '-ar', '16000']],
  ])('in %s is decoded by libspeex', async (_, name, options) => {
    expect(await inputOptionsOf(name, [...options, '-c:a', 'libspeex'])).toEqual(libspeex)
  })

  it.skipIf(process.platform === 'win32')('is decoded by an ffmpeg without libspeex, too', async () => {
    const path = join(folder.path, 'ffmpeg-without')
    await writeFile(path, '#!/bin/sh\necho "Codec \'libspeex\' is not recognized by FFmpeg."\n', {
      mode: 0o700,
    })
    expect(await inputOptionsOf('other.ogg', ['-c:a', 'libspeex'], async () => ({ path }))).toBeUndefined()
  })

  it.each([
    [
      'beside another codec',
      'mixed.mka',
      ['-map', '0', '-map', '0', '-c:a:0', 'libspeex', '-c:a:1', 'libopus'],
    ],
    ['that is Vorbis', 'vorbis.ogg', ['-c:a', 'libvorbis']],
  ])('%s is decoded as ffmpeg chooses', async (_, name, coding) => {
    const none = () => Promise.reject(new Error('was started'))
    expect(await inputOptionsOf(name, coding, none)).toBeUndefined()
  })
})
