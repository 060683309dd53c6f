// Transcribing on behalf of a call: submit, wait, and read the result, formatted if requested.
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../src/domain/errors.ts'
import { locateTestFfmpeg } from '../../support/audio/ffmpeg.ts'
import { fakeTextModel } from '../../support/jobs/fake-text-model.ts'
import {
  createLatch,
  createWorkspace,
  type Harness,
  type HarnessOptions,
  owner,
  type Workspace,
} from '../../support/jobs/harness.ts'
import { wordsOf } from '../../support/text/unpunctuated.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())

const eventually = { timeout: 60_000, interval: 20 }
const never = () => new Promise<never>(() => {})
const throttled = new SpeechError('THROTTLED', 'Too many requests.', {
  hint: 'Wait a minute.',
  retryable: true,
})
const { signal } = new AbortController()
const caller = { owner, signal }

/** Longer together than what is left as it is. */
const said = (n: number) => `we said in chunk ${n} that nobody came to the meeting that day`

async function open({ recognise, ...options }: HarnessOptions = {}, model = fakeTextModel()) {
  const answer: HarnessOptions['recognise'] = async n => (await recognise?.(n)) ?? said(n)
  const harness = await workspace.open({ textModel: model, recognise: answer, ...options })
  return { harness, model }
}

/** Resolves when the job waits for the text model. */
async function whenFormatting({ model }: { model: { requests: string[] } }): Promise<void> {
  await vi.waitFor(() => expect(model.requests).not.toHaveLength(0), eventually)
}

function expectFormatted({ formatted, segments }: Awaited<ReturnType<Harness['jobs']['read']>>): void {
  expect(formatted!.segments[0]!.text).toMatch(/^We/)
  expect(wordsOf(formatted!.segments)).toEqual(wordsOf(segments))
}

/** No piece of the text was requests for twice. */
function expectAskedOnce({ requests }: { requests: string[] }): void {
  expect(requests).not.toEqual([])
  expect(new Set(requests).size).toBe(requests.length)
}

describe('a transcription with a format', () => {
  const transcribe = ({ jobs }: Harness) =>
    jobs.transcribe(
      { audio: workspace.recording, format: 'faithful' },
      { ...caller, tool: 'transcribe_audio' },
      {},
    )

  it('a transcription with a format is formatted once, by its worker', async () => {
    const { harness, model } = await open()
    const { transcript, cached, formatting } = await transcribe(harness)
    expectFormatted(transcript)
    expect({ cached, formatting }).toEqual({ cached: false, formatting: undefined })
    expectAskedOnce(model)
    expect(await transcribe(harness)).toMatchObject({ cached: true, formatting: 'cached' })
    expectAskedOnce(model)
  })

  it('a cached transcription is formatted for the request', async () => {
    const { harness } = await open()
    await harness.transcribe()
    const { transcript, cached, formatting } = await transcribe(harness)
    expect({ cached, formatting }).toEqual({ cached: true, formatting: undefined })
    expectFormatted(transcript)
  })

  it('a transcription warns why its text is not formatted, without asking twice', async () => {
    const { harness, model } = await open({}, fakeTextModel({ before: () => Promise.reject(throttled) }))
    const { transcript } = await transcribe(harness)
    expect(transcript.warnings).toEqual([expect.stringMatching(/not formatted/)])
    expectAskedOnce(model)
    const once = [...model.requests]
    const again = await transcribe(harness)
    expect(again.transcript.segments).toEqual(transcript.segments)
    expect(again.transcript.warnings).not.toEqual([])
    expect(model.requests).toHaveLength(2 * once.length)
    expect(new Set(model.requests)).toEqual(new Set(once))
  })

  it('a transcription returns the plain transcript if the process stops while formatting', async () => {
    const { harness, model } = await open({}, fakeTextModel({ before: never }))
    await harness.transcribe()
    const transcribing = transcribe(harness)
    await whenFormatting({ model })
    const closing = harness.jobs.close()
    const { transcript, formatting } = await transcribing
    await closing
    expect(transcript).toMatchObject({ status: 'completed', warnings: [] })
    expect(formatting).toBe('running')
  })

  it('a transcription throws the error of its failed job', async () => {
    const refused = new SpeechError('KEY_REFUSED', 'No.', { hint: 'Ask.', scope: 'account' })
    const { harness } = await open({ recognise: () => Promise.reject(refused) })
    await expect(transcribe(harness)).rejects.toMatchObject({ code: 'KEY_REFUSED', hint: 'Ask.' })
  })

  it('a transcription throws CANCELLED if its job is cancelled meanwhile', async () => {
    const { harness } = await open({ recognise: never })
    const transcribing = transcribe(harness)
    transcribing.catch(() => {})
    await vi.waitFor(() => expect(harness.requests).not.toHaveLength(0), eventually)
    const { job } = await harness.submit()
    await harness.jobs.cancel(owner, job.id)
    await expect(transcribing).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('a transcription of a recording that has moved finds it, although its job looks where it was', async () => {
    const latch = createLatch()
    const ffmpeg = () => latch.opened.then(locateTestFfmpeg)
    const { harness } = await open({ ffmpeg })
    const before = join(workspace.folder, 'before.wav')
    await copyFile(workspace.recording, before)
    const { job } = await harness.submit({ audio: before })
    await rm(before)
    const transcribing = transcribe(harness)
    // The call waits for the job that is under way.
    await vi.waitFor(async () => expect((await harness.submit()).started).toBe(false), eventually)
    latch.open()
    const { transcript } = await transcribing
    expect(transcript).toMatchObject({ id: job.id, status: 'completed' })
  })
})
