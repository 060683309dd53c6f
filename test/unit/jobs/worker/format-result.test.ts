// Requests with a format: the text is formatted when the job ends, and a failure never fails the job.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Job } from '../../../../src/domain/job.ts'
import { fakeTextModel } from '../../../support/jobs/fake-text-model.ts'
import {
  createLatch,
  createWorkspace,
  type Harness,
  type HarnessOptions,
  owner,
  type Workspace,
} from '../../../support/jobs/harness.ts'
import { wordsOf } from '../../../support/text/unpunctuated.ts'

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

const format = ({ jobs }: Harness, { id }: Pick<Job, 'id'>, more = {}) =>
  jobs.format({ transcriptId: id, style: 'faithful' }, { ...caller, ...more })

describe('a job with a format', () => {
  it('a job with a format has formatted text at its end, and is the same job without the format', async () => {
    const { harness, model } = await open()
    const { job } = await harness.transcribe({ format: 'faithful' })
    expect(job.state).toBe('completed')
    const transcript = await harness.jobs.read(owner, job.id)
    expectFormatted(transcript)
    expect(transcript.warnings).toEqual([])
    expect((await harness.stored(job.id)).transcript!.formatted).toBeUndefined()

    const again = await harness.submit()
    expect(again).toMatchObject({ cached: true, job: { id: job.id } })
    expect(await format(harness, job)).toMatchObject({ cached: true })
    expectAskedOnce(model)
  })

  it('a transcript can be read while its text is formatted', async () => {
    const { open: write, opened } = createLatch()
    const { harness, model } = await open({}, fakeTextModel({ before: () => opened }))
    const { job } = await harness.submit({ format: 'faithful' })
    await whenFormatting({ model })
    const watched = await harness.jobs.watch(job.id, {
      ...caller,
      seconds: 0,
      disconnectReason: () => 'detached' as const,
    })
    // A recording that is longer than a minute is not waited for; this one is read as it is.
    expect(watched.progress).toMatchObject({ message: expect.stringContaining('Formatting') })
    expect(watched.progress!.done).toBe(watched.progress!.total)
    const reading = await harness.jobs.read(owner, job.id)
    expect(reading).toMatchObject({ status: 'running', coverage: { gaps: [] } })
    expect(reading.segments).not.toEqual([])
    expect((await harness.stored(job.id)).transcript).toMatchObject({ status: 'running' })
    write()
    expect((await harness.waitForEnd(job.id)).state).toBe('completed')
    expectFormatted(await harness.jobs.read(owner, job.id))
  })

  it('a job completes with a warning if its text cannot be formatted, until it is formatted', async () => {
    let isWell = false
    const { harness } = await open(
      {},
      fakeTextModel({ before: () => (isWell ? Promise.resolve() : Promise.reject(throttled)) }),
    )
    const { job } = await harness.transcribe({ format: 'faithful' })
    expect(job.state).toBe('completed')
    const plain = await harness.jobs.read(owner, job.id)
    expect(plain).toMatchObject({ status: 'completed', warnings: [expect.stringMatching(/not formatted/)] })
    expect(plain.formatted).toBeUndefined()
    isWell = true
    expect(await format(harness, job)).toEqual({ status: 'completed', cached: false, warnings: [] })
    const formatted = await harness.jobs.read(owner, job.id)
    expectFormatted(formatted)
    expect(formatted.warnings).toEqual([])
  })

  it('a job warns of a missing text model, but not for hardly any text', async () => {
    const harness = await workspace.open({ recognise: async n => said(n) })
    const { job } = await harness.transcribe({ format: 'faithful' })
    const { warnings } = await harness.jobs.read(owner, job.id)
    expect(warnings).toEqual([expect.stringMatching(/not formatted.*KEY_MISSING/)])

    const shortJob = await open({ recognise: async () => 'hello' })
    const { job: short } = await shortJob.harness.transcribe({ format: 'faithful', context: 'few words' })
    expect((await shortJob.harness.jobs.read(owner, short.id)).warnings).toEqual([])
    expect(shortJob.model.requests).toEqual([])
  })

  it('a transcript with gaps is formatted too', async () => {
    const { harness } = await open({
      async recognise(n) {
        if (n === 1) throw new SpeechError('PROVIDER_REFUSED', 'No.', { hint: 'Ask again.' })
      },
    })
    const { job } = await harness.transcribe({ format: 'faithful' })
    expect(job.state).toBe('partial')
    const transcript = await harness.jobs.read(owner, job.id)
    expect(transcript.coverage.gaps).toHaveLength(1)
    expectFormatted(transcript)

    // A request without a format repairs the gap: the formatted text has other words then.
    await harness.transcribe()
    const repaired = await harness.jobs.read(owner, job.id)
    expect(repaired).toMatchObject({ status: 'completed', warnings: [expect.stringMatching(/have changed/)] })
    expect(repaired.formatted).toBeUndefined()
    await harness.jobs.format({ transcriptId: job.id, style: 'faithful' }, caller)
    expectFormatted(await harness.jobs.read(owner, job.id))
  })

  it('cancelling a job during formatting stops that and keeps the transcript', async () => {
    const { harness, model } = await open({}, fakeTextModel({ before: never }))
    const { job } = await harness.submit({ format: 'faithful' })
    await whenFormatting({ model })
    expect(await harness.jobs.cancel(owner, job.id)).toMatchObject({ state: 'cancelled' })
    expect(model.stopped()).toBe(model.requests.length)
    const transcript = await harness.jobs.read(owner, job.id)
    expect(transcript).toMatchObject({ status: 'cancelled', coverage: { gaps: [] } })
    expect(transcript.segments).not.toEqual([])
    // Without the options it is simply finished.
    const requests = model.requests.length
    expect((await harness.transcribe()).job.state).toBe('completed')
    expect(harness.requests).toHaveLength(workspace.chunks)
    expect(model.requests).toHaveLength(requests)
  })

  it('another process continues the formatting without recognising anything again', async () => {
    const { harness, model } = await open({}, fakeTextModel({ before: never }))
    const { job } = await harness.submit({ format: 'faithful' })
    await whenFormatting({ model })
    await harness.close()
    const other = await open()
    expect((await other.harness.waitForEnd(job.id)).state).toBe('completed')
    expect(other.harness.requests).toEqual([])
    expectAskedOnce(other.model)
    expectFormatted(await other.harness.jobs.read(owner, job.id))
  })

  it('removing a job during formatting leaves nothing', async () => {
    const { harness, model } = await open({}, fakeTextModel({ before: never }))
    const { job } = await harness.submit({ format: 'faithful' })
    await whenFormatting({ model })
    await harness.jobs.remove(owner, job.id)
    await vi.waitFor(() => expect(model.stopped()).toBe(model.requests.length), eventually)
    expect(await harness.stored(job.id)).toEqual({ job: undefined, transcript: undefined })
    expect(await harness.store.getCheckpoint(owner, `formatted:${job.id}`)).toBeUndefined()
  })
})

describe('a format for a running job', () => {
  it('a format requested while a job runs is applied at its end', async () => {
    const { open: speak, opened } = createLatch()
    const { harness, model } = await open({ recognise: () => opened })
    const { job } = await harness.submit()
    const formatting = format(harness, job)
    await vi.waitFor(
      async () => expect((await harness.stored(job.id)).job!.request.format).toBe('faithful'),
      eventually,
    )
    speak()
    expect(await formatting).toEqual({ status: 'completed', cached: false, warnings: [] })
    expectFormatted(await harness.jobs.read(owner, job.id))
    expectAskedOnce(model)
  })

  it('the same request with a format adds the format to the running job', async () => {
    const { open: speak, opened } = createLatch()
    const { harness, model } = await open({ recognise: () => opened })
    const { job } = await harness.submit()
    await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
    expect(await harness.submit({ format: 'clean' })).toMatchObject({ cached: false, job: { id: job.id } })
    speak()
    await harness.waitForEnd(job.id)
    expect((await harness.jobs.read(owner, job.id)).formatted).toMatchObject({ style: 'clean' })
    expectAskedOnce(model)
  })

  it("a format requested in another process is applied by the job's worker", async () => {
    const { open: speak, opened } = createLatch()
    const { harness, model } = await open({ recognise: () => opened })
    const { job } = await harness.submit()
    await vi.waitFor(() => expect(harness.requests).toHaveLength(workspace.chunks), eventually)
    const other = await open()
    const formatting = format(other.harness, job)
    await vi.waitFor(
      async () => expect((await harness.stored(job.id)).job!.request.format).toBe('faithful'),
      eventually,
    )
    speak()
    expect(await formatting).toMatchObject({ status: 'completed', warnings: [] })
    expectAskedOnce(model)
    expect(other.model.requests).toEqual([])
    expectFormatted(await other.harness.jobs.read(owner, job.id))
  })

  it('a failed formatting is not tried twice for one call', async () => {
    const { open: speak, opened } = createLatch()
    const { harness, model } = await open(
      { recognise: () => opened },
      fakeTextModel({ before: () => Promise.reject(throttled) }),
    )
    const { job } = await harness.submit()
    const formatting = format(harness, job)
    await vi.waitFor(
      async () => expect((await harness.stored(job.id)).job!.request.format).toBe('faithful'),
      eventually,
    )
    speak()
    expect((await formatting).warnings).toEqual([expect.stringMatching(/not formatted/)])
    expectAskedOnce(model)
  })

  it('a cancelled call withdraws its format from the running job', async () => {
    const { open: speak, opened } = createLatch()
    const { harness, model } = await open({ recognise: () => opened })
    const { job } = await harness.submit()
    const leaving = new AbortController()
    const left = format(harness, job, { signal: leaving.signal })
    left.catch(() => {})
    await vi.waitFor(
      async () => expect((await harness.stored(job.id)).job!.request.format).toBe('faithful'),
      eventually,
    )
    leaving.abort()
    await expect(left).rejects.toThrow()
    expect((await harness.stored(job.id)).job!.request.format).toBeUndefined()
    speak()
    expect((await harness.waitForEnd(job.id)).state).toBe('completed')
    expect(model.requests).toEqual([])
  })

  it('a call that waits for a format learns that its job was cancelled', async () => {
    const { harness } = await open({ recognise: never })
    const { job } = await harness.submit()
    const formatting = format(harness, job)
    formatting.catch(() => {})
    await vi.waitFor(
      async () => expect((await harness.stored(job.id)).job!.request.format).toBe('faithful'),
      eventually,
    )
    await harness.jobs.cancel(owner, job.id)
    await expect(formatting).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
