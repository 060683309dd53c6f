// Names of speakers and titles: given by id or by name, kept through whatever happens to the transcript.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FileHearing, FileRecogniser } from '../src/domain/ports.ts'
import type { Speaker } from '../src/domain/transcript.ts'
import { gate, type House, me, type Site, startSite } from './support/house.ts'
import { segment, transcript } from './support/transcripts.ts'

let site: Site
beforeEach(async () => {
  site = await startSite()
})
afterEach(() => site.close())

const patient = { timeout: 30_000, interval: 20 }
const speakers: Speaker[] = [
  { id: 'S1', seconds: 3, share: 0.6 },
  { id: 'S2', seconds: 2, share: 0.4 },
]
const told = (id: string) =>
  transcript({ id, speakers, segments: [{ ...segment('Hello there.', 0, 2), speaker: 'S1' }] })

async function withTranscript(): Promise<{ house: House; names: (wish: object) => Promise<unknown> }> {
  const house = await site.open()
  await house.store.putTranscript(me, told('tr_1'))
  return {
    house,
    async names(given) {
      const { speakers } = await house.jobs.rename(me, 'tr_1', { speakers: given as Record<string, string> })
      expect((await house.jobs.read(me, 'tr_1')).speakers).toEqual(speakers)
      return speakers!.map(({ name }) => name)
    },
  }
}

describe('speakers', () => {
  it('are named by id or by the name that they have, and unnamed by an empty one', async () => {
    const { names } = await withTranscript()
    expect(await names({ S1: ' Alice\n Smith ' })).toEqual(['Alice Smith', undefined])
    expect(await names({ 'ａｌｉｃｅ  smith': 'Anna', s2: 'Bob' })).toEqual(['Anna', 'Bob'])
    expect(await names({ Anna: 'Bob', Bob: 'Anna' })).toEqual(['Bob', 'Anna'])
    expect(await names({ S1: '' })).toEqual([undefined, 'Anna'])
    expect(await names({ Anna: ' s2' })).toEqual([undefined, undefined])
  })

  it('may share a name: one person who was taken for two', async () => {
    const { names } = await withTranscript()
    expect(await names({ S1: 'Alice', S2: 'Alice' })).toEqual(['Alice', 'Alice'])
  })

  it.each([
    ['S2', { S1: 'S2', S2: 'S1' }],
    ['S1', { Bob: 's1' }],
    ['S2', { S1: 'Ｓ２ ' }],
  ])('are not called like another one’s id: %s', async (id, wish) => {
    const { house, names } = await withTranscript()
    await names({ S2: 'Bob' })
    await expect(names(wish)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: `${id} is the id of another speaker.`,
    })
    expect((await house.jobs.read(me, 'tr_1')).speakers).toMatchObject([{ id: 'S1' }, { name: 'Bob' }])
  })

  it('leave the title alone, and the title leaves them alone', async () => {
    const { house, names } = await withTranscript()
    await names({ S1: 'Alice' })
    const renamed = await house.jobs.rename(me, 'tr_1', { title: 'Monday' })
    expect(renamed).toMatchObject({ title: 'Monday', speakers: [{ name: 'Alice' }, {}] })
    await names({ S2: 'Bob' })
    expect((await house.jobs.read(me, 'tr_1')).title).toBe('Monday')
  })

  it.each([
    ['that are not there are refused with those that are', { S3: 'Eve' }, /S1 \(Alice\), S2/],
    ['of whom two have that name are refused', { Twin: 'Eve' }, /S1 \(Twin\), S2 \(Twin\)/],
    ['get no name longer than 100 characters', { S1: 'x'.repeat(101) }, /100 characters/],
  ])('%s', async (_, wish, hint) => {
    const { names } = await withTranscript()
    await names('Twin' in wish ? { S1: 'Twin', S2: 'Twin' } : { S1: 'Alice' })
    await expect(names(wish)).rejects.toMatchObject({ code: 'BAD_INPUT', hint: expect.stringMatching(hint) })
  })

  it('are not named where nobody was told apart, or by somebody else', async () => {
    const { house } = await withTranscript()
    const { job } = await house.transcribe()
    const wish = { speakers: { S1: 'Alice' } }
    await expect(house.jobs.rename(me, job.id, wish)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      hint: expect.stringContaining('diarize_audio'),
    })
    const foreign = house.jobs.rename('bob', 'tr_1', wish)
    await expect(foreign).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
  })
})

describe('a name that is given while the job runs', () => {
  const heard: FileHearing = {
    seconds: 5,
    sentences: [
      {
        ...{ start: 0.5, end: 2, text: 'Hello there.', language: 'en', speaker: 0 },
        words: [
          { start: 0.5, end: 1, text: 'Hello ' },
          { start: 1, end: 2, text: 'there.' },
        ],
      },
    ],
  }
  /** Ears for files that have an answer when the test says so. */
  const ears = (model: string, ready: Promise<void>): FileRecogniser => {
    let isReady = false
    void ready.then(() => {
      isReady = true
    })
    return {
      ...{ model, limits: { maxSeconds: 3600, maxBytes: 1e9 }, tells: { text: true, speakers: true } },
      submit: async () => `task of ${model}`,
      status: async () => (isReady ? { state: 'done', hearing: heard } : { state: 'running' }),
      tasks: async () => [],
      cancel: async () => {},
    }
  }

  it('is shown at once, and is there at the end', async () => {
    const { open, opened } = gate()
    const house = await site.open({
      ears: { speakerRecogniser: ears('who', opened), fileRecogniser: ears('what', opened) },
      blobs: {
        way: 'bucket',
        async put(audio, { models }) {
          for await (const _ of audio);
          return { way: 'bucket', keys: Object.fromEntries(models.map(model => [model, 'a.mp3'])) }
        },
      },
    })
    const first = await house.submit({}, 'diarize_audio')
    await house.jobs.cancel(me, first.job.id)
    // An earlier attempt has left speakers to name.
    await house.store.putTranscript(me, { ...told(first.job.id), status: 'cancelled' })
    const { job } = await house.submit({}, 'diarize_audio')
    await vi.waitFor(async () => expect((await house.stored(job.id)).job?.state).toBe('running'), patient)
    const renamed = await house.jobs.rename(me, job.id, { title: 'Monday', speakers: { S1: 'Alice' } })
    expect(renamed).toMatchObject({ status: 'running', title: 'Monday', speakers: [{ name: 'Alice' }, {}] })
    open()
    expect((await house.over(job.id)).state).toBe('completed')
    const { transcript } = await house.stored(job.id)
    expect(transcript).toMatchObject({ title: 'Monday', speakers: [{ id: 'S1', name: 'Alice' }] })
  })
})
