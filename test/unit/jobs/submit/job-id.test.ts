// Id of a job: equal requests have equal ids, and stored ids stay valid.
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createWorkspace,
  type Harness,
  owner,
  spokenWav,
  type Workspace,
} from '../../../support/jobs/harness.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())
const noConcurrency = { short: 0, long: 0, remote: 0 }
describe('the id of a job', () => {
  const audio = `data:audio/wav;base64,${spokenWav(0).toString('base64')}`
  const idOf = async (harness: Harness, ...given: Parameters<Harness['submit']>) =>
    (await harness.submit({ audio, ...given[0] }, given[1])).job.id

  it('the id of a request without speakers stays what it was before diarization existed', async () => {
    const harness = await workspace.open({ concurrency: noConcurrency })
    const content = `bytes:${createHash('sha256').update(spokenWav(0)).digest('hex')}`
    const facts = JSON.stringify([owner, 'transcribe_audio', content, 'fake-asr', 'en', 'Anja', false])
    const bytes = createHash('sha256').update(facts).digest().subarray(0, 16)
    const letters = [...bytes].map(byte => '0123456789abcdefghjkmnpqrstvwxyz'[byte & 31]).join('')
    expect(await idOf(harness, { language: 'English', context: 'Anja ' })).toBe(`tr_${letters}`)
  })

  it('the id depends on timestamps only if they are measured', async () => {
    const estimating = await workspace.open({ concurrency: noConcurrency })
    const measuring = await workspace.open({ concurrency: noConcurrency, blobs: { way: 'bucket' } })
    const ids = await Promise.all([
      idOf(estimating, {}),
      idOf(estimating, { timestamps: 'segment' }),
      idOf(measuring, {}),
      idOf(measuring, { timestamps: 'segment' }),
    ])
    expect(ids.slice(1, 3)).toEqual([ids[0], ids[0]])
    expect(ids[3]).not.toBe(ids[0])
  })

  it('the id depends on the track that is named', async () => {
    const harness = await workspace.open({ concurrency: noConcurrency })
    const [any, first, all] = [
      await idOf(harness, {}),
      ...(await Promise.all(['1', 'all'].map(track => idOf(harness, { track })))),
    ]
    expect(new Set([any, first, all]).size).toBe(3)
    expect(await idOf(harness, { track: ' ALL' })).toBe(all)
  })

  it('the id depends on the tool, and for diarization on the number of speakers', async () => {
    const harness = await workspace.open({ concurrency: noConcurrency })
    const ids = await Promise.all([
      idOf(harness, {}),
      idOf(harness, {}, 'diarize_audio'),
      idOf(harness, { speakers: 2 }, 'diarize_audio'),
      idOf(harness, { speakers: 3 }, 'diarize_audio'),
    ])
    expect(new Set(ids).size).toBe(4)
    expect(await idOf(harness, { speakers: 2 }, 'diarize_audio')).toBe(ids[2])
  })
})
