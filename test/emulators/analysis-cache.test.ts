// The cache of analysed recordings: stored once, read by later starts, computed again where a file is damaged.
import { randomBytes } from 'node:crypto'
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Analysis, cachedAnalysis } from '../../emulators/audio-matching/analysis-cache.ts'
import { startDashscope } from '../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../support/audio/ffmpeg.ts'
import { fixture, type TempFolder, tempFolder } from '../support/e2e/system.ts'

const analysis: Analysis = {
  samples: Float32Array.from({ length: 300 }, (_, i) => i / 300),
  prints: Uint32Array.from([1, 2, 0xffffffff]),
  floor: 1.25e-7,
}
const analyse = vi.fn(async () => analysis)
let recording: Buffer
let folder: TempFolder

beforeEach(async () => {
  analyse.mockClear()
  recording = randomBytes(50)
  folder = await tempFolder()
})

afterEach(() => folder.remove())

it('a recording is analysed once and then read from the disk', async () => {
  const first = await cachedAnalysis(recording, analyse, [folder.path])
  const second = await cachedAnalysis(recording, analyse, [folder.path])
  expect(first).toEqual(analysis)
  expect(second).toEqual(analysis)
  expect(analyse).toHaveBeenCalledOnce()
})

it('another recording has an analysis of its own', async () => {
  await cachedAnalysis(recording, analyse, [folder.path])
  await cachedAnalysis(randomBytes(50), analyse, [folder.path])
  expect(analyse).toHaveBeenCalledTimes(2)
  expect(await readdir(folder.path)).toHaveLength(2)
})

it('a truncated file is ignored and replaced', async () => {
  await cachedAnalysis(recording, analyse, [folder.path])
  const [name] = await readdir(folder.path)
  const file = join(folder.path, name!)
  const whole = await readFile(file)
  await writeFile(file, whole.subarray(0, whole.length - 4))
  expect(await cachedAnalysis(recording, analyse, [folder.path])).toEqual(analysis)
  expect(analyse).toHaveBeenCalledTimes(2)
  expect(await readFile(file)).toEqual(whole)
})

it('a folder that cannot be written is passed over for the next one', async () => {
  const blocked = join(folder.path, 'file')
  await writeFile(blocked, '')
  const folders = [join(blocked, 'cache'), join(folder.path, 'cache')]
  await cachedAnalysis(recording, analyse, folders)
  await cachedAnalysis(recording, analyse, folders)
  expect(analyse).toHaveBeenCalledOnce()
})

it('an analysis that cannot be stored is still returned', async () => {
  const blocked = join(folder.path, 'file')
  await writeFile(blocked, '')
  expect(await cachedAnalysis(recording, analyse, [blocked])).toEqual(analysis)
})

it('a start that finds all recordings analysed needs no ffmpeg', async () => {
  const cloud = await startDashscope({ ffmpeg: await testFfmpeg() })
  await cloud.warmUp()
  await cloud.close()
  // Analyses go by content: what is known of the fixtures holds for a copy in another folder.
  for (const name of ['voice-note.ogg', 'voice-note.truth.json']) {
    await copyFile(fixture(name), join(folder.path, name))
  }
  const other = await startDashscope({ ffmpeg: '/nonexistent/ffmpeg', fixtures: folder.path })
  await expect(other.warmUp()).resolves.toBeUndefined()
  await other.close()
})
