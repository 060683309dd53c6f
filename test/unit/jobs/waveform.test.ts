// Peaks of stored transcripts: of the recording that was transcribed, for its owner, computed once.
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startOss } from '../../../emulators/oss/oss.ts'
import { SpeechError } from '../../../src/domain/errors.ts'
import type { Job } from '../../../src/domain/job.ts'
import type { Downloader } from '../../../src/domain/network/downloader.ts'
import { uploadAddress } from '../../../src/domain/network/uploads.ts'
import { receivedInOss } from '../../../src/drivers/object-storage/oss/received.ts'
import { uploadFiles } from '../../../src/drivers/uploads/files.ts'
import { createUploads } from '../../../src/drivers/uploads/uploads.ts'
import type { Recordings } from '../../../src/jobs/recording.ts'
import { createWaveforms } from '../../../src/jobs/waveform.ts'
import { locateTestFfmpeg } from '../../support/audio/ffmpeg.ts'
import { optionsFor } from '../../support/contracts/oss.ts'
import {
  createWorkspace,
  type Harness,
  owner,
  spokenWav,
  type Workspace,
} from '../../support/jobs/harness.ts'
import { transcript } from '../../support/transcripts.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace(1)
})
afterEach(() => {
  vi.useRealTimers()
  return workspace.close()
})

const useClock = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    error => error.code ?? error.name,
  )

function later<T>() {
  let [resolve, reject] = [(_: T) => {}, (_: unknown) => {}]
  const promise = new Promise<T>((...both) => {
    ;[resolve, reject] = both
  })
  return { promise, resolve, reject }
}

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

  it('a recording that was replaced has none until it is back for a minute', async () => {
    const { harness, id } = await transcribed()
    const kept = await readFile(workspace.recording)
    await writeFile(workspace.recording, spokenWav(1, 2))
    useClock()
    expect(await code(harness.jobs.waveform(owner, id))).toBe('RECORDING_CHANGED')
    await writeFile(workspace.recording, kept)
    expect(await code(harness.jobs.waveform(owner, id))).toBe('RECORDING_CHANGED')
    await vi.advanceTimersByTimeAsync(61_000)
    expect((await peaksOf(harness, id)).length).toBeGreaterThan(20)
  })

  it('a failure between two questions of a page is told to the next one, and not tried again', async () => {
    let [count, isBroken] = [0, false]
    const [begun, broken] = [later<void>(), later<never>()]
    const { harness, id } = await transcribed({
      async ffmpeg() {
        if (!isBroken) return locateTestFfmpeg()
        count++
        begun.resolve()
        return broken.promise
      },
    })
    isBroken = true
    useClock()
    const first = harness.jobs.waveform(owner, id)
    await begun.promise
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await first).toEqual({})
    broken.reject(new SpeechError('FFMPEG_HUNG', 'It hangs.', { hint: 'Stop it.' }))
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    for (let again = 0; again < 3; again++)
      expect(await code(harness.jobs.waveform(owner, id))).toBe('FFMPEG_HUNG')
    expect(count).toBe(1)
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

  it('nor is an upload that lies in the bucket of a team; one in the data folder has peaks at once', async () => {
    const oss = await startOss()
    const inBucket = receivedInOss(optionsFor(oss))
    for (const store of [inBucket, uploadFiles(join(workspace.folder, 'uploads'))]) {
      const uploads = createUploads({ store, maxBytes: 1e9, jobs: { unfinishedJobs: async () => [] } })
      const { id: upload } = await uploads.createTicket(owner, {})
      const bytes = await readFile(workspace.recording)
      const begun = await uploads.begin(upload, { bytes: bytes.length })
      await uploads.append(begun, 0, Readable.from([bytes]))
      await uploads.finish(begun)
      const { harness, id } = await transcribed({ uploads }, uploadAddress(upload))
      if (store === inBucket) {
        expect(await code(harness.jobs.waveform(owner, id))).toBe('BAD_INPUT')
        await harness.jobs.clip(owner, id, { signal: new AbortController().signal })
      }
      expect((await peaksOf(harness, id)).length).toBeGreaterThan(20)
      await harness.jobs.remove(owner, id)
      await uploads.close()
    }
    await oss.close()
  })
})

describe('the work of pictures', () => {
  /** Recordings that are heard until the test says so. */
  function opening({ heeds = true } = {}) {
    const opened: string[] = []
    const ends = new Map<string, ReturnType<typeof later<never>>>()
    const recordings: Recordings = {
      isNear: () => true,
      open(job, signal) {
        signal.throwIfAborted()
        opened.push(job.id)
        const end = later<never>()
        ends.set(job.id, end)
        if (heeds) signal.addEventListener('abort', () => end.reject(signal.reason))
        return end.promise
      },
    }
    const closing = new AbortController()
    const waveform = createWaveforms(recordings, closing.signal)
    return {
      opened,
      closing,
      end: (id: string, peaks: number[]) => ends.get(id)!.resolve(peaks as never),
      async ask(by: string, id: string) {
        const given = { transcript: transcript({ id }), job: { id, owner: by } as Job }
        const asked = waveform(given)
        asked.catch(() => {})
        await vi.advanceTimersByTimeAsync(2_000)
        return asked
      },
    }
  }
  beforeEach(() => void useClock())

  it('an owner with many pages has one picture computed at a time, and another owner does not wait', async () => {
    const { opened, ask, end } = opening()
    for (const id of ['a1', 'a2', 'a3']) await ask('ann', id)
    await ask('ben', 'b1')
    await ask('cem', 'c1')
    expect(opened).toEqual(['a1', 'b1'])
    end('a1', [1])
    expect(await ask('ann', 'a1')).toEqual({ peaks: [1] })
    expect(opened).toEqual(['a1', 'b1', 'c1'])
  })

  it('a picture that no page asks for any more is not computed further, and begun anew when one asks', async () => {
    const { opened, ask, end } = opening()
    await ask('ann', 'left')
    await ask('ann', 'waiting')
    await ask('ann', 'wanted')
    await ask('ann', 'left')
    await vi.advanceTimersByTimeAsync(60_000)
    await ask('ann', 'wanted')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(opened).toEqual(['left', 'wanted'])
    end('wanted', [1, 2])
    expect(await ask('ann', 'wanted')).toEqual({ peaks: [1, 2] })
    await vi.advanceTimersByTimeAsync(200_000)
    expect(await ask('ann', 'wanted')).toEqual({ peaks: [1, 2] })
    await ask('ann', 'left')
    expect(opened).toEqual(['left', 'wanted', 'left'])
  })

  it('one that takes ten minutes is given up with a reason, and all end with the process', async () => {
    const { ask, closing } = opening()
    const answers: unknown[] = []
    for (let minute = 0; minute < 11; minute++) {
      answers.push(await ask('ann', 'long').catch(error => error.code))
      await vi.advanceTimersByTimeAsync(58_000)
    }
    expect([answers[8], answers[10]]).toEqual([{}, 'CALL_TIMEOUT'])
    await ask('ann', 'other')
    closing.abort()
    await expect(ask('ann', 'other')).rejects.toMatchObject({ code: 'BUSY' })
  })

  it('a disk that does not answer keeps no place', async () => {
    const { opened, ask } = opening({ heeds: false })
    await ask('ann', 'stuck')
    await vi.advanceTimersByTimeAsync(100_000)
    await ask('ann', 'next')
    expect(opened).toEqual(['stuck', 'next'])
  })
})
