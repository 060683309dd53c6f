// Calls whose time is up before their recording was read: they get an id that leads to the job, and nothing is read twice.
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import {
  createLatch,
  createWorkspace,
  type Harness,
  owner,
  type Workspace,
} from '../../../support/jobs/harness.ts'

const audio = 'https://example.com/talk.wav'

let workspace: Workspace
let answer: ReturnType<typeof createLatch>
let signals: AbortSignal[]
let refusal: SpeechError | undefined

beforeEach(async () => {
  workspace = await createWorkspace(1)
  answer = createLatch()
  signals = []
  refusal = undefined
})
afterEach(async () => {
  answer.open()
  await workspace.close()
})

/** A server at the URL that answers once the test says so. */
const open = () =>
  workspace.open({
    downloader: {
      async identify(_, { signal }) {
        signals.push(signal)
        await new Promise<void>((resolve, reject) => {
          void answer.opened.then(resolve)
          signal.addEventListener('abort', () => reject(signal.reason))
        })
        if (refusal) throw refusal
        return 'v1'
      },
      async download(_, file) {
        await copyFile(workspace.recording, file)
        return 1
      },
    },
  })

async function call({ jobs }: Harness, seconds: number, signal = new AbortController().signal) {
  return jobs.transcribe({ audio }, { tool: 'transcribe_audio', owner, signal }, { seconds })
}

const watchOf = (seconds: number) => ({ owner, seconds, signal: new AbortController().signal })

it('a call that may not wait for the recording gets an id, which leads to the transcript', async () => {
  const harness = await open()
  const { transcript: early, cached } = await call(harness, 0)
  expect({ cached, status: early.status, segments: early.segments }).toEqual({
    cached: false,
    status: 'running',
    segments: [],
  })
  expect((await harness.jobs.read(owner, early.id)).status).toBe('running')
  expect((await harness.jobs.watch(early.id, watchOf(0))).state).toBe('queued')
  expect((await call(harness, 0)).transcript.id).toBe(early.id)
  expect(signals).toHaveLength(1)

  const watched = harness.jobs.watch(early.id, watchOf(30))
  answer.open()
  const { state, id } = await watched
  expect(state).toBe('completed')
  const found = await harness.jobs.read(owner, early.id)
  expect(found).toMatchObject({ id, status: 'completed' })
  expect(await call(harness, 30)).toMatchObject({ cached: true, transcript: { id } })

  // Another process knows the id from the store.
  const other = await open()
  expect(await other.jobs.read(owner, early.id)).toMatchObject({ id, status: 'completed' })
  await other.jobs.remove(owner, id)
  await expect(other.jobs.read(owner, early.id)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
})

it('every method takes the id that an earlier process has given', async () => {
  const first = await open()
  const { id: early } = (await call(first, 0)).transcript
  answer.open()
  const { id } = await first.jobs.watch(early, watchOf(30))
  await first.close()

  const { jobs, store } = await open()
  expect(await jobs.watch(early, watchOf(30))).toMatchObject({ id, state: 'completed' })
  expect(await jobs.rename(owner, early, { title: 'Talk' })).toMatchObject({ id, title: 'Talk' })
  const formatted = await jobs.format({ transcriptId: early, style: 'faithful' }, watchOf(30))
  expect(formatted).toMatchObject({
    status: 'completed',
    warnings: [expect.stringContaining('not formatted')],
  })
  expect(await jobs.cancel(owner, early)).toMatchObject({ id, state: 'completed' })
  const alias = () => store.getCheckpoint(owner, `provisional:${early}`)
  expect(await alias()).toBe(id)
  await jobs.remove(owner, early)
  await expect(jobs.read(owner, id)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
  await expect(jobs.remove(owner, early)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
  expect(await alias()).toBeUndefined()
})

it('an id that leads to a transcript deletes it also while its recording is read again', async () => {
  const first = await open()
  const { id: early } = (await call(first, 0)).transcript
  answer.open()
  const { id } = await first.jobs.watch(early, watchOf(30))
  await first.close()

  answer = createLatch()
  const { jobs, ...again } = await open()
  expect((await call({ jobs, ...again }, 0)).transcript).toMatchObject({ id: early, status: 'running' })
  await jobs.remove(owner, early)
  await expect(jobs.read(owner, id)).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
})

it('a recording that turns out to be unreadable fails under the id that the call got', async () => {
  const harness = await open()
  const { transcript } = await call(harness, 0)
  refusal = new SpeechError('DOWNLOAD_FAILED', 'The server responded with status 500.', { hint: 'Check it.' })
  const watched = harness.jobs.watch(transcript.id, watchOf(30))
  answer.open()
  expect(await watched).toMatchObject({ state: 'failed', error: { code: 'DOWNLOAD_FAILED' } })
  const { status, warnings } = await harness.jobs.read(owner, transcript.id)
  expect(status).toBe('failed')
  expect(warnings.join()).toContain('DOWNLOAD_FAILED')
  await expect(call(harness, 30)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' })
})

it('cancelling ends the reading of a recording, and the same call begins again', async () => {
  const harness = await open()
  const { transcript } = await call(harness, 0)
  expect((await harness.jobs.cancel(owner, transcript.id)).state).toBe('cancelled')
  expect(signals[0]!.aborted).toBe(true)
  expect((await harness.jobs.read(owner, transcript.id)).status).toBe('cancelled')
  answer.open()
  expect((await call(harness, 30)).transcript.status).toBe('completed')
})

it('a deleted recording is read no further and not known any more', async () => {
  const harness = await open()
  const { transcript } = await call(harness, 0)
  await expect(harness.jobs.rename(owner, transcript.id, { title: 'Talk' })).rejects.toMatchObject({
    code: 'BUSY',
  })
  await harness.jobs.remove(owner, transcript.id)
  expect(signals[0]!.aborted).toBe(true)
  await expect(harness.jobs.read(owner, transcript.id)).rejects.toMatchObject({
    code: 'TRANSCRIPT_NOT_FOUND',
  })
})

it('the reading ends with the only call that waits for it, unless a call has left for good', async () => {
  const harness = await open()
  const leave = new AbortController()
  const left = call(harness, 30, leave.signal)
  await vi.waitFor(() => expect(signals).toHaveLength(1))
  leave.abort()
  await expect(left).rejects.toBe(leave.signal.reason)
  expect(signals[0]!.aborted).toBe(true)

  await call(harness, 0)
  const again = new AbortController()
  const second = call(harness, 30, again.signal)
  again.abort()
  await expect(second).rejects.toBe(again.signal.reason)
  expect(signals[1]!.aborted).toBe(false)
})

it('a server that stops while a recording is read asks to call again, as an id would lead nowhere', async () => {
  const harness = await open()
  const waiting = expect(call(harness, 60)).rejects.toMatchObject({ code: 'BUSY', retryable: true })
  await vi.waitFor(() => expect(signals).toHaveLength(1))
  await harness.jobs.close()
  await waiting
})

it('a store that another process writes to holds up no call beyond its time', async () => {
  const harness = await workspace.open()
  const { job } = await harness.transcribe()
  const writer = new Database(join(workspace.folder, 'data', 'speech.db'))
  writer.exec('BEGIN IMMEDIATE')
  const { signal } = new AbortController()
  const request = { audio: workspace.recording, context: 'while it is locked' }
  const caller = { tool: 'transcribe_audio', owner, signal } as const
  const { transcript } = await harness.jobs.transcribe(request, caller, { seconds: 0 })
  expect(transcript.status).toBe('running')
  expect((await harness.jobs.read(owner, job.id)).status).toBe('completed')
  writer.exec('COMMIT')
  writer.close()
  expect((await harness.jobs.watch(transcript.id, watchOf(30))).state).toBe('completed')
})
