// Orders that wish for formatted text: it is there when the job ends, and never costs the job its end.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import type { Job } from '../../../../src/domain/job.ts'
import { readOrdered } from '../../../../src/jobs/get-result.ts'
import { scribe } from '../../../support/jobs/fake-text-model.ts'
import {
  createLatch,
  type House,
  type HouseOptions,
  me,
  type Site,
  startSite,
} from '../../../support/jobs/harness.ts'
import { wordsOf } from '../../../support/text/unpunctuated.ts'

let site: Site
beforeEach(async () => {
  site = await startSite()
})
afterEach(() => site.close())

const patient = { timeout: 30_000, interval: 20 }
const never = () => new Promise<never>(() => {})
const throttled = new SpeechError('THROTTLED', 'Too many requests.', {
  hint: 'Wait a minute.',
  retryable: true,
})
const { signal } = new AbortController()
const caller = { owner: me, signal }

/** Longer together than what is left as it is. */
const said = (n: number) => `we heard chunk ${n} say that nobody came to the meeting that day`

async function open({ hear, ...wish }: HouseOptions = {}, model = scribe()) {
  const hearing: HouseOptions['hear'] = async n => (await hear?.(n)) ?? said(n)
  const house = await site.open({ textModel: model, hear: hearing, ...wish })
  return { house, model }
}

/** Resolves when the job has heard all and waits for the text model. */
async function whenFormatting({ model }: { model: { asked: string[] } }): Promise<void> {
  await vi.waitFor(() => expect(model.asked).not.toHaveLength(0), patient)
}

function expectFormatted({ formatted, segments }: Awaited<ReturnType<House['jobs']['read']>>): void {
  expect(formatted!.segments[0]!.text).toMatch(/^We/)
  expect(wordsOf(formatted!.segments)).toEqual(wordsOf(segments))
}

/** No piece of the text was asked for twice. */
function expectAskedOnce({ asked }: { asked: string[] }): void {
  expect(asked).not.toEqual([])
  expect(new Set(asked).size).toBe(asked.length)
}

const format = ({ jobs }: House, { id }: Pick<Job, 'id'>, more = {}) =>
  jobs.format({ transcriptId: id, style: 'faithful' }, { ...caller, ...more })

describe('an order with format', () => {
  it('has its text formatted when it is over, and is the same order without it', async () => {
    const { house, model } = await open()
    const { job } = await house.transcribe({ format: 'faithful' })
    expect(job.state).toBe('completed')
    const transcript = await house.jobs.read(me, job.id)
    expectFormatted(transcript)
    expect(transcript.warnings).toEqual([])
    expect((await house.stored(job.id)).transcript!.formatted).toBeUndefined()

    const again = await house.submit()
    expect(again).toMatchObject({ answered: true, job: { id: job.id } })
    expect(await format(house, job)).toMatchObject({ answered: true })
    expectAskedOnce(model)
  })

  it('can be read while its text is formatted, and says what is done', async () => {
    const { open: write, opened } = createLatch()
    const { house, model } = await open({}, scribe({ before: () => opened }))
    const { job } = await house.submit({ format: 'faithful' })
    await whenFormatting({ model })
    const watched = await house.jobs.watch(job.id, {
      ...caller,
      seconds: 0,
      disconnectReason: () => 'gone' as const,
    })
    // A recording that is longer than a minute is not waited for; this one is read as it is.
    expect(watched.progress).toMatchObject({ message: expect.stringContaining('Formatting') })
    expect(watched.progress!.done).toBe(watched.progress!.total)
    const reading = await house.jobs.read(me, job.id)
    expect(reading).toMatchObject({ status: 'running', coverage: { gaps: [] } })
    expect(reading.segments).not.toEqual([])
    expect((await house.stored(job.id)).transcript).toMatchObject({ status: 'running' })
    write()
    expect((await house.over(job.id)).state).toBe('completed')
    expectFormatted(await house.jobs.read(me, job.id))
  })

  it('is completed where the text cannot be formatted, says why, and no longer when it could', async () => {
    let isWell = false
    const { house } = await open(
      {},
      scribe({ before: () => (isWell ? Promise.resolve() : Promise.reject(throttled)) }),
    )
    const { job } = await house.transcribe({ format: 'faithful' })
    expect(job.state).toBe('completed')
    const plain = await house.jobs.read(me, job.id)
    expect(plain).toMatchObject({ status: 'completed', warnings: [expect.stringMatching(/not formatted/)] })
    expect(plain.formatted).toBeUndefined()
    isWell = true
    expect(await format(house, job)).toEqual({ status: 'completed', answered: false, warnings: [] })
    const formatted = await house.jobs.read(me, job.id)
    expectFormatted(formatted)
    expect(formatted.warnings).toEqual([])
  })

  it('says so where no model is set up, and nothing where there is hardly any text', async () => {
    const house = await site.open({ hear: async n => said(n) })
    const { job } = await house.transcribe({ format: 'faithful' })
    const { warnings } = await house.jobs.read(me, job.id)
    expect(warnings).toEqual([expect.stringMatching(/not formatted.*KEY_MISSING/)])

    const brief = await open({ hear: async () => 'hello' })
    const { job: short } = await brief.house.transcribe({ format: 'faithful', context: 'few words' })
    expect((await brief.house.jobs.read(me, short.id)).warnings).toEqual([])
    expect(brief.model.asked).toEqual([])
  })

  it('has the text formatted that a recording with gaps has', async () => {
    const { house } = await open({
      async hear(n) {
        if (n === 1) throw new SpeechError('PROVIDER_REFUSED', 'No.', { hint: 'Ask again.' })
      },
    })
    const { job } = await house.transcribe({ format: 'faithful' })
    expect(job.state).toBe('partial')
    const transcript = await house.jobs.read(me, job.id)
    expect(transcript.coverage.gaps).toHaveLength(1)
    expectFormatted(transcript)

    // The gap is repaired by an order that wishes for no format: what was formatted is of other words.
    await house.transcribe()
    const repaired = await house.jobs.read(me, job.id)
    expect(repaired).toMatchObject({ status: 'completed', warnings: [expect.stringMatching(/have changed/)] })
    expect(repaired.formatted).toBeUndefined()
    await house.jobs.format({ transcriptId: job.id, style: 'faithful' }, caller)
    expectFormatted(await house.jobs.read(me, job.id))
  })

  it('that is cancelled while the text is formatted stops that, and keeps what was heard', async () => {
    const { house, model } = await open({}, scribe({ before: never }))
    const { job } = await house.submit({ format: 'faithful' })
    await whenFormatting({ model })
    expect(await house.jobs.cancel(me, job.id)).toMatchObject({ state: 'cancelled' })
    expect(model.stopped()).toBe(model.asked.length)
    const transcript = await house.jobs.read(me, job.id)
    expect(transcript).toMatchObject({ status: 'cancelled', coverage: { gaps: [] } })
    expect(transcript.segments).not.toEqual([])
    // Without the wish it is simply finished.
    const asked = model.asked.length
    expect((await house.transcribe()).job.state).toBe('completed')
    expect(house.asked).toHaveLength(site.chunks)
    expect(model.asked).toHaveLength(asked)
  })

  it('goes on in another process, which hears nothing again', async () => {
    const { house, model } = await open({}, scribe({ before: never }))
    const { job } = await house.submit({ format: 'faithful' })
    await whenFormatting({ model })
    await house.close()
    const other = await open()
    expect((await other.house.over(job.id)).state).toBe('completed')
    expect(other.house.asked).toEqual([])
    expectAskedOnce(other.model)
    expectFormatted(await other.house.jobs.read(me, job.id))
  })

  it('that is removed while the text is formatted leaves nothing', async () => {
    const { house, model } = await open({}, scribe({ before: never }))
    const { job } = await house.submit({ format: 'faithful' })
    await whenFormatting({ model })
    await house.jobs.remove(me, job.id)
    await vi.waitFor(() => expect(model.stopped()).toBe(model.asked.length), patient)
    expect(await house.stored(job.id)).toEqual({ job: undefined, transcript: undefined })
    expect(await house.store.getCheckpoint(me, `formatted:${job.id}`)).toBeUndefined()
  })
})

describe('a transcript that is on its way', () => {
  it('is formatted at its end when somebody wishes for that meanwhile', async () => {
    const { open: speak, opened } = createLatch()
    const { house, model } = await open({ hear: () => opened })
    const { job } = await house.submit()
    const formatting = format(house, job)
    await vi.waitFor(
      async () => expect((await house.stored(job.id)).job!.order.format).toBe('faithful'),
      patient,
    )
    speak()
    expect(await formatting).toEqual({ status: 'completed', answered: false, warnings: [] })
    expectFormatted(await house.jobs.read(me, job.id))
    expectAskedOnce(model)
  })

  it('is formatted at its end when somebody orders the same with it', async () => {
    const { open: speak, opened } = createLatch()
    const { house, model } = await open({ hear: () => opened })
    const { job } = await house.submit()
    await vi.waitFor(() => expect(house.asked).toHaveLength(site.chunks), patient)
    expect(await house.submit({ format: 'clean' })).toMatchObject({ answered: false, job: { id: job.id } })
    speak()
    await house.over(job.id)
    expect((await house.jobs.read(me, job.id)).formatted).toMatchObject({ style: 'clean' })
    expectAskedOnce(model)
  })

  it('in another process is formatted there', async () => {
    const { open: speak, opened } = createLatch()
    const { house, model } = await open({ hear: () => opened })
    const { job } = await house.submit()
    await vi.waitFor(() => expect(house.asked).toHaveLength(site.chunks), patient)
    const other = await open()
    const formatting = format(other.house, job)
    await vi.waitFor(
      async () => expect((await house.stored(job.id)).job!.order.format).toBe('faithful'),
      patient,
    )
    speak()
    expect(await formatting).toMatchObject({ status: 'completed', warnings: [] })
    expectAskedOnce(model)
    expect(other.model.asked).toEqual([])
    expectFormatted(await other.house.jobs.read(me, job.id))
  })

  it('is not tried twice for one call, where it cannot be formatted', async () => {
    const { open: speak, opened } = createLatch()
    const { house, model } = await open(
      { hear: () => opened },
      scribe({ before: () => Promise.reject(throttled) }),
    )
    const { job } = await house.submit()
    const formatting = format(house, job)
    await vi.waitFor(
      async () => expect((await house.stored(job.id)).job!.order.format).toBe('faithful'),
      patient,
    )
    speak()
    expect((await formatting).warnings).toEqual([expect.stringMatching(/not formatted/)])
    expectAskedOnce(model)
  })

  it('goes on without the wish when who had it cancels the call', async () => {
    const { open: speak, opened } = createLatch()
    const { house, model } = await open({ hear: () => opened })
    const { job } = await house.submit()
    const leaving = new AbortController()
    const left = format(house, job, { signal: leaving.signal })
    left.catch(() => {})
    await vi.waitFor(
      async () => expect((await house.stored(job.id)).job!.order.format).toBe('faithful'),
      patient,
    )
    leaving.abort()
    await expect(left).rejects.toThrow()
    expect((await house.stored(job.id)).job!.order.format).toBeUndefined()
    speak()
    expect((await house.over(job.id)).state).toBe('completed')
    expect(model.asked).toEqual([])
  })

  it('and is cancelled says so to who waits for its formatted text', async () => {
    const { house } = await open({ hear: never })
    const { job } = await house.submit()
    const formatting = format(house, job)
    formatting.catch(() => {})
    await vi.waitFor(
      async () => expect((await house.stored(job.id)).job!.order.format).toBe('faithful'),
      patient,
    )
    await house.jobs.cancel(me, job.id)
    await expect(formatting).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})

describe('what an order reads when it was watched', () => {
  const order = { format: 'faithful' } as const
  const read = (house: House, submission: { job: Job; answered: boolean }) =>
    readOrdered(house.jobs, order, submission, caller)

  it('is formatted by its worker, and not once more', async () => {
    const { house, model } = await open()
    const { transcript, isFormatting } = await read(house, await house.transcribe(order))
    expectFormatted(transcript)
    expect(isFormatting).toBe(false)
    expectAskedOnce(model)
  })

  it('is formatted now where the recording was heard before', async () => {
    const { house } = await open()
    await house.transcribe()
    const submission = await house.transcribe(order)
    expect(submission.answered).toBe(true)
    expectFormatted((await read(house, submission)).transcript)
  })

  it('says why it is not formatted, without asking twice', async () => {
    const { house, model } = await open({}, scribe({ before: () => Promise.reject(throttled) }))
    const { transcript } = await read(house, await house.transcribe(order))
    expect(transcript.warnings).toEqual([expect.stringMatching(/not formatted/)])
    expectAskedOnce(model)
    const once = [...model.asked]
    const again = await read(house, await house.transcribe(order))
    expect(again.transcript.segments).toEqual(transcript.segments)
    expect(again.transcript.warnings).not.toEqual([])
    expect(model.asked).toHaveLength(2 * once.length)
    expect(new Set(model.asked)).toEqual(new Set(once))
  })

  it('is the plain transcript where the process ends before', async () => {
    const { house, model } = await open({}, scribe({ before: never }))
    await house.transcribe()
    const reading = read(house, await house.submit(order))
    await whenFormatting({ model })
    const closing = house.jobs.close()
    const { transcript, isFormatting } = await reading
    await closing
    expect(transcript).toMatchObject({ status: 'completed', warnings: [] })
    expect(isFormatting).toBe(true)
  })
})
