// Renaming: titles and names of speakers, which stay with their speakers when a recognition is repeated.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Speaker } from '../../../src/domain/transcript.ts'
import type { RenameRequest } from '../../../src/jobs/jobs.ts'
import { createWorkspace, type Harness, owner, type Workspace } from '../../support/jobs/harness.ts'
import { segment, transcript } from '../../support/transcripts.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())
const speakers: Speaker[] = [
  { id: 'S1', seconds: 3, share: 0.6 },
  { id: 'S2', seconds: 2, share: 0.4 },
]
const withSpeakers = (id: string) =>
  transcript({ id, speakers, segments: [{ ...segment('Hello there.', 0, 2), speaker: 'S1' }] })

async function withTranscript(): Promise<{ harness: Harness; names: (options: object) => Promise<unknown> }> {
  const harness = await workspace.open()
  await harness.store.putTranscript(owner, withSpeakers('tr_1'))
  return {
    harness,
    async names(given) {
      const { speakers } = await harness.jobs.rename(owner, 'tr_1', {
        speakers: given as Record<string, string>,
      })
      expect((await harness.jobs.read(owner, 'tr_1')).speakers).toEqual(speakers)
      return speakers!.map(({ name }) => name)
    },
  }
}

describe('speakers', () => {
  it('speakers are named by id or current name, and an empty name removes the name', async () => {
    const { names } = await withTranscript()
    expect(await names({ S1: ' Alice\n Smith ' })).toEqual(['Alice Smith', undefined])
    expect(await names({ 'ａｌｉｃｅ  smith': 'Anna', s2: 'Bob' })).toEqual(['Anna', 'Bob'])
    expect(await names({ Anna: 'Bob', Bob: 'Anna' })).toEqual(['Bob', 'Anna'])
    expect(await names({ S1: '' })).toEqual([undefined, 'Anna'])
    expect(await names({ Anna: ' s2' })).toEqual([undefined, undefined])
  })

  it('two speakers may share a name', async () => {
    const { names } = await withTranscript()
    expect(await names({ S1: 'Alice', S2: 'Alice' })).toEqual(['Alice', 'Alice'])
  })

  it.each([
    ['S2', { S1: 'S2', S2: 'S1' }],
    ['S1', { Bob: 's1' }],
    ['S2', { S1: 'Ｓ２ ' }],
  ])('a speaker cannot be named like the id of another one: %s', async (id, options) => {
    const { harness, names } = await withTranscript()
    await names({ S2: 'Bob' })
    await expect(names(options)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: `${id} is the id of another speaker.`,
    })
    expect((await harness.jobs.read(owner, 'tr_1')).speakers).toMatchObject([{ id: 'S1' }, { name: 'Bob' }])
  })

  it('names that are given at the same time are all kept, and so is a title', async () => {
    const { harness } = await withTranscript()
    const give = (request: RenameRequest) => harness.jobs.rename(owner, 'tr_1', request)
    await Promise.all([give({ speakers: { S1: 'Alice' } }), give({ speakers: { S2: 'Bob' } })])
    await Promise.all([give({ title: 'Monday' }), give({ speakers: { S2: 'Ben' } })])
    expect(await harness.jobs.read(owner, 'tr_1')).toMatchObject({
      title: 'Monday',
      speakers: [{ name: 'Alice' }, { name: 'Ben' }],
    })
  })

  it('names and title are changed independently', async () => {
    const { harness, names } = await withTranscript()
    await names({ S1: 'Alice' })
    const renamed = await harness.jobs.rename(owner, 'tr_1', { title: 'Monday' })
    expect(renamed).toMatchObject({ title: 'Monday', speakers: [{ name: 'Alice' }, {}] })
    await names({ S2: 'Bob' })
    expect((await harness.jobs.read(owner, 'tr_1')).title).toBe('Monday')
  })

  it.each([
    ['an unknown speaker is refused with a list of the speakers', { S3: 'Eve' }, /S1 \(Alice\), S2/],
    ['a name that two speakers share is refused', { Twin: 'Eve' }, /S1 \(Twin\), S2 \(Twin\)/],
    ['a name longer than 100 characters is refused', { S1: 'x'.repeat(101) }, /100 characters/],
  ])('%s', async (_, options, hint) => {
    const { names } = await withTranscript()
    await names('Twin' in options ? { S1: 'Twin', S2: 'Twin' } : { S1: 'Alice' })
    await expect(names(options)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      hint: expect.stringMatching(hint),
    })
  })

  it('speakers cannot be named in a transcript without speakers or of another owner', async () => {
    const { harness } = await withTranscript()
    const { job } = await harness.transcribe()
    const options = { speakers: { S1: 'Alice' } }
    await expect(harness.jobs.rename(owner, job.id, options)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      hint: expect.stringContaining('diarize_audio'),
    })
    const foreign = harness.jobs.rename('bob', 'tr_1', options)
    await expect(foreign).rejects.toMatchObject({ code: 'TRANSCRIPT_NOT_FOUND' })
  })
})
