// Tracks of a file, by ffmpeg's description of it.
import { expect, it } from 'vitest'
import { readDescription } from '../../../../src/pipeline/voices/description.ts'

it.each([
  ['en-US', 'en'],
  ['zh-Hant', 'zh'],
  ['eng', 'en'],
  ['qaa-x-own', 'qaa-x-own'],
  ['und', undefined],
])('a track tagged %s has the language %s', (tag, language) => {
  const text = `Input #0, matroska,webm, from 'file:a':\n  Stream #0:1(${tag}): Audio: opus, 48000 Hz, stereo, fltp\n`
  const [track] = readDescription(text).tracks
  expect(track).toMatchObject({ stream: 1, channels: 2 })
  expect(track!.language).toBe(language)
})
