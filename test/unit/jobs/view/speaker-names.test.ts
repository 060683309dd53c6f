// Names of speakers: each stays with its speaker when a recognition is continued or repeated.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isSpeechError, SpeechError } from '../../../../src/domain/errors.ts'
import type {
  FileRecogniser,
  FileRecognition,
  ObjectStorage,
  RecognisedSentence,
} from '../../../../src/domain/ports.ts'
import type { Speaker } from '../../../../src/domain/transcript.ts'
import { createWorkspace, listOf, owner, type Workspace } from '../../../support/jobs/harness.ts'
import { segment, transcript } from '../../../support/transcripts.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())

const eventually = { timeout: 60_000, interval: 20 }
const speakers: Speaker[] = [
  { id: 'S1', seconds: 3, share: 0.6 },
  { id: 'S2', seconds: 2, share: 0.4 },
]
const withSpeakers = (id: string) =>
  transcript({ id, speakers, segments: [{ ...segment('Hello there.', 0, 2), speaker: 'S1' }] })

/** A sentence whose words take half a second each. */
const said = (start: number, text: string, speaker?: number): RecognisedSentence => {
  const words = text.match(/\S+ ?/g)!.map((word, i) => ({
    text: word,
    start: start + i / 2,
    end: start + (i + 1) / 2,
  }))
  const known = speaker === undefined ? {} : { speaker }
  return { start, end: words.at(-1)!.end, text, language: 'en', words, ...known }
}
const recognition = (...sentences: RecognisedSentence[]): FileRecognition => ({ sentences, seconds: 5 })

/** A file recogniser; `outcome` is undefined while its task runs, and an error if the task failed. */
function createRecogniser(
  model: string,
  outcome: () => FileRecognition | SpeechError | undefined,
  capabilities = { text: true, speakers: true },
): FileRecogniser {
  return {
    model,
    key: model,
    limits: { maxSeconds: 3600, maxBytes: 1e9 },
    capabilities,
    submit: async () => `task of ${model}`,
    async status() {
      const result = outcome()
      if (!result) return { state: 'running' }
      return isSpeechError(result)
        ? { state: 'failed', error: result }
        : { state: 'done', recognition: result }
    },
    now: async () => Date.now(),
    listTasks: async () => [],
    cancel: async () => {},
  }
}
const whoTells = { text: false, speakers: true }
const whatTells = { text: true, speakers: false }
const failed = () => new SpeechError('TASK_FAILED', 'It failed.', { hint: 'Call again.' })

const bucket: Partial<ObjectStorage> = {
  way: 'bucket',
  async upload(audio, { models }) {
    for await (const _ of audio);
    return { way: 'bucket', keys: Object.fromEntries(models.map(model => [model, 'a.mp3'])) }
  },
}

describe('a name that is given while the job runs', () => {
  const recognised = recognition(said(0.5, 'Hello there. Anybody?', 0))

  it('a name given while the job runs is shown at once and stored at the end', async () => {
    let answer: FileRecognition | undefined
    const harness = await workspace.open({
      fileRecognisers: {
        speakerRecognisers: listOf(createRecogniser('who', () => answer)),
        fileRecognisers: listOf(createRecogniser('what', () => answer)),
      },
      blobs: bucket,
    })
    const first = await harness.submit({}, 'diarize_audio')
    await harness.jobs.cancel(owner, first.job.id)
    // An earlier attempt has left speakers to name.
    await harness.store.putTranscript(owner, { ...withSpeakers(first.job.id), status: 'cancelled' })
    const { job } = await harness.submit({}, 'diarize_audio')
    await vi.waitFor(
      async () => expect((await harness.stored(job.id)).job?.state).toBe('running'),
      eventually,
    )
    const renamed = await harness.jobs.rename(owner, job.id, { title: 'Monday', speakers: { S1: 'Alice' } })
    expect(renamed).toMatchObject({ status: 'running', title: 'Monday', speakers: [{ name: 'Alice' }, {}] })
    answer = recognised
    expect((await harness.waitForEnd(job.id)).state).toBe('completed')
    const { transcript } = await harness.stored(job.id)
    expect(transcript).toMatchObject({ title: 'Monday', speakers: [{ id: 'S1', name: 'Alice' }] })
  })
})

describe('a name stays with its speaker', () => {
  // The pass for words misses the murmur, so that the first speaker is the second one there.
  const [hello, morning] = ['Hello there, is anybody in today?', 'Good morning, come in and sit down.']
  const who = recognition(said(0.5, 'Mm.', 1), said(2, hello, 0), said(6, morning, 1))
  const what = recognition(said(2, hello), said(6, morning))
  const wrong = [{ id: 'S1', name: 'Bob' }, { id: 'S2' }]
  const right = [{ id: 'S1' }, { id: 'S2', name: 'Bob' }]
  const named = (speakers: Speaker[] | undefined) =>
    speakers?.map(({ id, name }) => ({ id, ...(name !== undefined && { name }) }))

  /** A process whose passes return what the test says; it may be changed at any time. */
  async function withPasses(passes: {
    who: Parameters<typeof createRecogniser>[1]
    what: Parameters<typeof createRecogniser>[1]
  }) {
    const harness = await workspace.open({
      fileRecognisers: {
        speakerRecognisers: listOf(createRecogniser('who', () => passes.who(), whoTells)),
        fileRecognisers: listOf(createRecogniser('what', () => passes.what(), whatTells)),
      },
      blobs: bucket,
    })
    return {
      harness,
      order: async () => (await harness.submit({}, 'diarize_audio')).job.id,
      async diarize() {
        const { job } = await harness.submit({}, 'diarize_audio')
        return harness.waitForEnd(job.id)
      },
      names: async (id: string) => named((await harness.jobs.read(owner, id)).speakers),
    }
  }

  it('a name stays with its speaker when a completed recognition renumbers the speakers', async () => {
    const passes: Parameters<typeof withPasses>[0] = { who: () => who, what: failed }
    const { harness, diarize, names } = await withPasses(passes)
    const { id, state } = await diarize()
    expect(state).toBe('partial')
    await harness.jobs.rename(owner, id, { speakers: { S1: 'Bob' } })
    expect(await names(id)).toEqual(wrong)
    passes.what = () => what
    expect((await diarize()).state).toBe('completed')
    expect(await names(id)).toEqual(right)
    expect(named((await harness.stored(id)).transcript?.speakers)).toEqual(right)
    // From there on, too, it can be given to another, and be taken away.
    await harness.jobs.rename(owner, id, { speakers: { S1: 'Anna', S2: '' } })
    expect(await names(id)).toEqual([{ id: 'S1', name: 'Anna' }, { id: 'S2' }])
  })

  it('a name given during the second pass stays with its speaker', async () => {
    const passes: Parameters<typeof withPasses>[0] = { who: () => who, what: () => undefined }
    const { harness, order, names } = await withPasses(passes)
    const id = await order()
    await vi.waitFor(async () => expect(await names(id)).toHaveLength(2), eventually)
    await harness.jobs.rename(owner, id, { speakers: { S1: 'Bob' } })
    expect(await names(id)).toEqual(wrong)
    passes.what = () => what
    expect((await harness.waitForEnd(id)).state).toBe('completed')
    expect(await names(id)).toEqual(right)
  })

  it('a name given during a repeated job stays with its speaker', async () => {
    const passes: Parameters<typeof withPasses>[0] = { who: () => who, what: failed }
    const { harness, order, diarize, names } = await withPasses(passes)
    const { id } = await diarize()
    passes.what = () => undefined
    await order()
    await harness.jobs.rename(owner, id, { speakers: { S1: 'Bob' } })
    passes.what = () => what
    expect((await harness.waitForEnd(id)).state).toBe('completed')
    expect(await names(id)).toEqual(right)
  })

  describe('a repeated recognition of speakers', () => {
    /** Names the first speaker of a partial transcript, and repeats the recognition without its checkpoints. */
    async function recognisedAgain(again: FileRecognition) {
      const passes: Parameters<typeof withPasses>[0] = { who: () => who, what: failed }
      const opened = await withPasses(passes)
      const { id } = await opened.diarize()
      await opened.harness.jobs.rename(owner, id, { speakers: { S1: 'Bob' } })
      await opened.harness.store.deleteCheckpoints(owner, id)
      passes.who = () => again
      passes.what = () => what
      expect((await opened.diarize()).state).toBe('completed')
      return { ...opened, id }
    }

    it('a name is matched by speaking times after a new recognition', async () => {
      const swapped = recognition(...who.sentences.map(one => ({ ...one, speaker: 1 - one.speaker! })))
      const { id, names } = await recognisedAgain(swapped)
      expect(await names(id)).toEqual(right)
    })

    it('a name without a matching speaker is dropped with a warning', async () => {
      const merged = recognition(...who.sentences.map(one => ({ ...one, speaker: 0 })))
      const { harness, id, names } = await recognisedAgain(merged)
      expect(await names(id)).toEqual([{ id: 'S1' }])
      const { warnings } = await harness.jobs.read(owner, id)
      expect(warnings).toContainEqual(expect.stringMatching(/Bob.+update_transcript/))
      // A caller that names anew has read that.
      const renamed = await harness.jobs.rename(owner, id, { speakers: { S1: 'Both' } })
      expect(renamed.warnings.join(' ')).not.toContain('Bob')
    })
  })

  it('names of two speakers both stay when the speakers change their numbers', async () => {
    const passes: Parameters<typeof withPasses>[0] = { who: () => who, what: failed }
    const { harness, diarize, names } = await withPasses(passes)
    const { id } = await diarize()
    await harness.jobs.rename(owner, id, { speakers: { S1: 'Bob' } })
    expect(await names(id)).toEqual(wrong)
    await harness.jobs.rename(owner, id, { speakers: { S2: 'Eve' } })
    expect(await names(id)).toEqual([
      { id: 'S1', name: 'Bob' },
      { id: 'S2', name: 'Eve' },
    ])
    passes.what = () => what
    expect((await diarize()).state).toBe('completed')
    expect(await names(id)).toEqual([
      { id: 'S1', name: 'Eve' },
      { id: 'S2', name: 'Bob' },
    ])
  })

  it('a name stays with its speaker when another process repeats the request', async () => {
    const passes: Parameters<typeof withPasses>[0] = { who: () => who, what: failed }
    const { harness, diarize } = await withPasses(passes)
    const { id } = await diarize()
    await harness.jobs.rename(owner, id, { speakers: { S1: 'Bob' } })
    await harness.close()
    const other = await withPasses({ who: () => who, what: () => what })
    expect((await other.diarize()).state).toBe('completed')
    expect(await other.names(id)).toEqual(right)
  })

  it('voice ids are stored but not shown to readers', async () => {
    const { harness, diarize } = await withPasses({ who: () => who, what: () => what })
    const { id } = await diarize()
    const { transcript } = await harness.stored(id)
    expect(transcript!.speakers!.every(({ voice }) => typeof voice === 'string')).toBe(true)
    for (const speaker of (await harness.jobs.read(owner, id)).speakers!)
      expect(Object.keys(speaker).sort()).toEqual(['id', 'seconds', 'share'])
  })
})
