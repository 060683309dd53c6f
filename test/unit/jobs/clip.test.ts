// Clips of stored transcripts: only of the recording that was transcribed, where it may still be read, for its owner.
import { copyFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Downloader } from '../../../src/domain/network/downloader.ts'
import { uploadAddress } from '../../../src/domain/network/uploads.ts'
import { uploadFiles } from '../../../src/drivers/uploads/files.ts'
import { createUploads } from '../../../src/drivers/uploads/uploads.ts'
import type { LocateFfmpeg } from '../../../src/pipeline/audio/ffmpeg.ts'
import { locateTestFfmpeg } from '../../support/audio/ffmpeg.ts'
import {
  createWorkspace,
  type Harness,
  owner,
  spokenWav,
  type Workspace,
} from '../../support/jobs/harness.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace(1)
})
afterEach(() => workspace.close())

const { signal } = new AbortController()
const clip = ({ jobs }: Harness, id: string, times: { from?: number; to?: number } = {}, who = owner) =>
  jobs.clip(who, id, { signal, ...times })
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    error => error.code ?? error.name,
  )

async function transcribed(options: Parameters<Workspace['open']>[0] = {}, audio = workspace.recording) {
  const harness = await workspace.open(options)
  const { job } = await harness.transcribe({ audio })
  return { harness, id: job.id }
}

describe('the recording of a clip', () => {
  it('a clip is an MP3 with a tag, and nothing of it stays in the scratch folder', async () => {
    const { harness, id } = await transcribed()
    const { audio, start, end, next, transcript } = await clip(harness, id, { from: 0.5, to: 1 })
    expect(audio.subarray(0, 400).includes('Info')).toBe(true)
    expect(audio.subarray(0, 2).readUInt16BE() & 0xffe0).toBe(0xffe0)
    expect(start).toBeLessThanOrEqual(0.5)
    expect(end).toBeGreaterThan(1)
    expect([next, transcript.id]).toEqual([undefined, id])
    expect(await readdir(join(workspace.folder, 'scratch')).catch(() => [])).toEqual([])
  })

  it('a recording in a data: URI is not kept, and heard once it was ordered as a file', async () => {
    const audio = `data:audio/wav;base64,${spokenWav(1).subarray(0, 96_044).toString('base64')}`
    const { harness, id } = await transcribed({}, audio)
    expect(await code(clip(harness, id))).toBe('RECORDING_LOST')
    const file = join(workspace.folder, 'saved.wav')
    await writeFile(file, spokenWav(1).subarray(0, 96_044))
    expect((await harness.transcribe({ audio: file })).cached).toBe(true)
    expect((await clip(harness, id, { from: 0.5 })).audio.length).toBeGreaterThan(1000)
  })

  it('a recording that was replaced is refused, since a clip of it would hold other words', async () => {
    const { harness, id } = await transcribed()
    await writeFile(workspace.recording, spokenWav(1, 2))
    expect(await code(clip(harness, id))).toBe('RECORDING_CHANGED')
  })

  it('a recording that has gone is missed, and found again where it was moved once it is ordered from there', async () => {
    const { harness, id } = await transcribed()
    const moved = join(workspace.folder, 'moved.wav')
    await rename(workspace.recording, moved)
    expect(await code(clip(harness, id))).toBe('RECORDING_LOST')
    const again = await harness.transcribe({ audio: moved })
    expect([again.job.id, again.cached, harness.requests.length]).toEqual([id, true, 1])
    expect((await clip(harness, id)).audio.length).toBeGreaterThan(1000)
  })

  it('a folder that was closed since gives no clips', async () => {
    const { id } = await transcribed()
    const closed = await workspace.open({ allowedDirs: [join(workspace.folder, 'data')] })
    expect(await code(clip(closed, id))).toBe('OUTSIDE_ALLOWED_DIRS')
    const none = await workspace.open({ allowedDirs: [] })
    expect(await code(clip(none, id))).toBe('OUTSIDE_ALLOWED_DIRS')
  })

  it('a transcript of another owner, and one that was deleted, is not found', async () => {
    const { harness, id } = await transcribed()
    expect(await code(clip(harness, id, {}, 'ben'))).toBe('TRANSCRIPT_NOT_FOUND')
    expect(await code(clip(harness, 'tr_none'))).toBe('TRANSCRIPT_NOT_FOUND')
    expect(await code(clip(harness, `ba_${id.slice(3)}`))).toBe('BAD_INPUT')
    await harness.jobs.remove(owner, id)
    expect(await code(clip(harness, id))).toBe('TRANSCRIPT_NOT_FOUND')
  })
})

describe('a recording at an address', () => {
  const url = 'https://example.org/talk.wav'
  const server = (version: { now: string | undefined }): Downloader => ({
    identify: async () => version.now,
    download: async (_, file) => {
      await copyFile(workspace.recording, file)
      return (await readFile(file)).length
    },
  })

  it('it is fetched again while its server says that it is the same', async () => {
    const version = { now: 'v1' as string | undefined }
    const { harness, id } = await transcribed({ downloader: server(version) }, url)
    expect((await clip(harness, id, { from: 1 })).audio.length).toBeGreaterThan(1000)
    version.now = 'v2'
    expect(await code(clip(harness, id))).toBe('RECORDING_CHANGED')
  })

  it('it is refused where its server says nothing of versions', async () => {
    const { harness, id } = await transcribed({ downloader: server({ now: undefined }) }, url)
    await expect(clip(harness, id)).rejects.toThrow('does not say')
  })
})

describe('a recording that was uploaded', () => {
  const hourMs = 3600 * 1000

  it('it is missed once its upload was deleted, and found again where it was uploaded again', async () => {
    let now = Date.now()
    const store = uploadFiles(join(workspace.folder, 'uploads'))
    const noJobs = { unfinishedJobs: async () => [] }
    const uploads = createUploads({ store, maxBytes: 1e9, jobs: noJobs, now: () => now })
    const sent = async () => {
      const { id } = await uploads.createTicket(owner, {})
      const bytes = await readFile(workspace.recording)
      const begun = await uploads.begin(id, { bytes: bytes.length, name: 'talk.wav' })
      await uploads.append(begun, 0, Readable.from([bytes]))
      await uploads.finish(begun)
      return uploadAddress(id)
    }
    const { harness, id } = await transcribed({ uploads }, await sent())
    expect((await clip(harness, id)).audio.length).toBeGreaterThan(1000)

    now += 25 * hourMs
    await uploads.sweep()
    await expect(clip(harness, id)).rejects.toMatchObject({
      code: 'RECORDING_LOST',
      hint: expect.stringContaining('Upload it again'),
    })

    const again = await harness.transcribe({ audio: await sent() })
    expect([again.job.id, again.cached, harness.requests.length]).toEqual([id, true, 1])
    expect((await clip(harness, id)).audio.length).toBeGreaterThan(1000)
    await uploads.close()
  })
})

describe('the times of a clip', () => {
  it('times that are none, reversed, negative or behind the end are refused with advice', async () => {
    const { harness, id } = await transcribed()
    const { duration } = await harness.jobs.read(owner, id)
    for (const times of [
      { from: Number.NaN },
      { from: -1 },
      { to: Number.POSITIVE_INFINITY },
      { from: 2, to: 1 },
      { from: 1, to: 1 },
      { from: duration },
      { from: 1e300 },
      { to: 0 },
    ])
      expect(await code(clip(harness, id, times)), JSON.stringify(times)).toBe('BAD_INPUT')
    expect((await clip(harness, id, { from: 20, to: 1e9 })).end).toBeLessThanOrEqual(duration)
  })
})

describe('the work of a clip', () => {
  /** Counts what runs at once. */
  function counting() {
    const counts = { now: 0, most: 0, all: 0 }
    const ffmpeg: LocateFfmpeg = async () => {
      counts.all++
      counts.most = Math.max(counts.most, ++counts.now)
      await new Promise(setImmediate)
      counts.now--
      return locateTestFfmpeg()
    }
    return { counts, ffmpeg }
  }

  it('clips of one owner are made one after the other', async () => {
    const { counts, ffmpeg } = counting()
    const { harness, id } = await transcribed({ ffmpeg })
    Object.assign(counts, { most: 0 })
    const made = await Promise.all([0.5, 0.6, 0.7, 0.8].map(from => clip(harness, id, { from, to: 1 })))
    expect(made.every(({ audio }) => audio.length > 500)).toBe(true)
    expect(counts.most).toBe(1)
  })

  it('clips end when the process stops, also those that wait for their turn', async () => {
    const { harness, id } = await transcribed()
    const asked = [0.5, 0.6, 0.7].map(from => code(clip(harness, id, { from, to: 1 })))
    // The reads of the transcripts come first.
    await harness.jobs.read(owner, id)
    await harness.close()
    for (const one of await Promise.all(asked)) expect(one).toMatch(/^(?:BUSY|none|STORE_FAILED)$/)
    expect(await code(clip(harness, id))).not.toBe('none')
  })

  it('a clip that nobody waits for any more is not made', async () => {
    const { counts, ffmpeg } = counting()
    const { harness, id } = await transcribed({ ffmpeg })
    const before = counts.all
    const gone = AbortSignal.abort()
    await expect(harness.jobs.clip(owner, id, { signal: gone })).rejects.toThrow()
    expect(counts.all).toBe(before)
    const leaving = new AbortController()
    const made = harness.jobs.clip(owner, id, { signal: leaving.signal })
    leaving.abort()
    await expect(made).rejects.toThrow()
    await rm(join(workspace.folder, 'scratch'), { recursive: true, force: true })
  })
})
