// Peaks of stored transcripts: of the recording that was transcribed, for its owner, computed once.
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Downloader } from '../../../src/domain/network/downloader.ts'
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

/** Asks again until they are there. */
async function peaksOf(harness: Harness, id: string): Promise<number[]> {
  return (await harness.jobs.waveform(owner, id)).peaks ?? peaksOf(harness, id)
}

describe('the peaks of a recording', () => {
  it('they are computed once, also for those who ask at the same time and later', async () => {
    let count = 0
    const ffmpeg = () => {
      count++
      return locateTestFfmpeg()
    }
    const { harness, id } = await transcribed({ ffmpeg })
    const before = count
    const [one, other] = await Promise.all([peaksOf(harness, id), peaksOf(harness, id)])
    const used = count - before
    expect(one.length).toBeGreaterThan(20)
    expect(Math.max(...one)).toBeGreaterThan(20)
    expect(other).toEqual(one)
    expect(await peaksOf(harness, id)).toEqual(one)
    expect([used > 0, count - before]).toEqual([true, used])
  })

  it('a recording that was replaced has none until it is back', async () => {
    const { harness, id } = await transcribed()
    const kept = await readFile(workspace.recording)
    await writeFile(workspace.recording, spokenWav(1, 2))
    expect(await code(harness.jobs.waveform(owner, id))).toBe('RECORDING_CHANGED')
    await writeFile(workspace.recording, kept)
    expect((await peaksOf(harness, id)).length).toBeGreaterThan(20)
  })

  it('another owner finds nothing', async () => {
    const { harness, id } = await transcribed()
    expect(await code(harness.jobs.waveform('other', id))).toBe('TRANSCRIPT_NOT_FOUND')
  })

  it('a recording at an address is not fetched for a picture before something of it was heard', async () => {
    let fetched = 0
    const downloader: Downloader = {
      identify: async () => 'v1',
      async download(_, file) {
        fetched++
        await copyFile(workspace.recording, file)
        return (await readFile(file)).length
      },
    }
    const { harness, id } = await transcribed({ downloader }, 'https://example.org/talk.wav')
    const before = fetched
    expect(await code(harness.jobs.waveform(owner, id))).toBe('BAD_INPUT')
    expect(fetched).toBe(before)
    await harness.jobs.clip(owner, id, { signal: new AbortController().signal })
    expect((await peaksOf(harness, id)).length).toBeGreaterThan(20)
  })
})
