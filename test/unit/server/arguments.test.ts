// Arguments as models and clients write them: null and "" for what is left out, numbers and truth values as text.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import type { Transport } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Uploads } from '../../../src/domain/network/uploads.ts'
import type { Jobs } from '../../../src/jobs/jobs.ts'
import { createServer } from '../../../src/server/server.ts'
import { tools } from '../../../src/server/tools/index.ts'
import { fakeJobs } from '../../support/jobs/fake-jobs.ts'
import { transcript } from '../../support/transcripts.ts'

/** The requests that the tools made of the jobs. */
const asked: Record<string, unknown>[] = []
const note = (what: object) => void asked.push(what as Record<string, unknown>)
const own = transcript({ id: 'tr_local' })
const fake = fakeJobs()
const jobs = {
  ...fake,
  foldersOpen: true,
  async transcribe(request) {
    note(request)
    return { transcript: own, cached: false }
  },
  async rename(_, __, request) {
    note(request)
    return own
  },
  async save(...request) {
    note(request)
    return { path: '/a.srt', outcome: 'created' }
  },
  async list(_, paging) {
    note(paging)
    return { transcripts: [] }
  },
  async recordings(options) {
    note(options)
    return []
  },
} as Partial<Jobs> as Jobs
const uploads = {} as Uploads

const client = new Client({ name: 'test', version: '1' })
beforeAll(async () => {
  const [here, there] = InMemoryTransport.createLinkedPair()
  const connection = { owner: 'local', era: 'legacy', push: false, closingCancels: false } as const
  await createServer({ jobs, uploads, version: '1', waitSeconds: 0 }, connection).connect(there as Transport)
  await client.connect(here)
})
afterAll(() => client.close())

async function call(name: string, args: Record<string, unknown>): Promise<string> {
  asked.length = 0
  const { content } = await client.callTool({ name, arguments: args })
  return (content as { text: string }[])[0]!.text
}

const required: Record<string, unknown> = { audio: '/a.wav', transcript_id: 'tr_local', save_as: '/a.srt' }
const misfit = /validation error|invalid (?:input|option)|expected/i

interface Listed {
  type?: string
  enum?: string[]
  minimum?: number
}
/** Each optional argument of each tool. */
const optional = tools.flatMap(({ name, input }) => {
  const json = input['~standard'].jsonSchema.input({ target: 'draft-2020-12' })
  const listed = json as { properties: Record<string, Listed>; required?: string[] }
  const given = Object.fromEntries((listed.required ?? []).map(key => [key, required[key]]))
  return Object.entries(listed.properties)
    .filter(([key]) => !listed.required?.includes(key))
    .map(([key, schema]) => ({ name, key, schema, given }))
})

describe('an optional argument', () => {
  it.each(optional)(
    '$name takes null, "" and blanks for $key that is left out',
    async ({ name, key, given }) => {
      // The fakes answer alike, so that only what they were asked tells of the argument.
      const result = async (args: Record<string, unknown>) => [await call(name, args), JSON.stringify(asked)]
      const without = await result(given)
      for (const value of [null, '', '  '])
        expect(await result({ ...given, [key]: value }), String(value)).toEqual(without)
    },
  )

  it.each(
    optional.filter(
      ({ schema: { type, enum: options } }) => type !== 'array' && (options || type !== 'string'),
    ),
  )('$name takes $key as text, in any case', async ({ name, key, schema, given }) => {
    const values =
      schema.enum ?? (schema.type === 'boolean' ? ['true', 'false'] : [String(schema.minimum ?? 1)])
    for (const value of values.flatMap(one => [one, ` ${one.toUpperCase()} `, 'null']))
      expect(await call(name, { ...given, [key]: value }), value).not.toMatch(misfit)
  })

  it('text becomes the number, the truth value and the option that it says', async () => {
    await call('diarize_audio', { audio: '/a.wav', speakers: '2', format: 'True', track: 1, title: 7 })
    expect(asked).toEqual([
      expect.objectContaining({ speakers: 2, format: 'faithful', track: '1', title: '7' }),
    ])
    await call('transcribe_audio', { audio: '/a.wav', timestamps: 'WORD', format: 'false' })
    expect(asked).toEqual([{ audio: '/a.wav', timestamps: 'word' }])
    await call('find_recordings', { query: 2024, limit: '5' })
    expect(asked).toEqual([expect.objectContaining({ query: '2024', limit: 5 })])
  })

  it('text that says no number is refused, and so is null for what is required', async () => {
    expect(await call('find_recordings', { limit: 'five' })).toMatch(/limit: .*expected number/)
    expect(await call('find_recordings', { limit: '500' })).toMatch(/limit: /)
    expect(await call('get_transcript', { transcript_id: null })).toMatch(/transcript_id: /)
    expect(asked).toEqual([])
  })
})

it('names of speakers are a list, an object or either as text', async () => {
  const list = [
    { speaker: 'S1', name: 'Anja' },
    { speaker: 'S2', name: '' },
  ]
  const byId = { S1: 'Anja', S2: '' }
  for (const speakers of [list, byId, JSON.stringify(list), JSON.stringify(byId), { S1: 'Anja', S2: null }]) {
    await call('update_transcript', { transcript_id: 'tr_local', title: null, speakers })
    expect(asked, JSON.stringify(speakers)).toEqual([{ title: undefined, speakers: byId }])
  }
})

describe('a prompt', () => {
  const get = async (args: Record<string, unknown>) =>
    (await client.getPrompt({ name: 'summarize_meeting', arguments: args as Record<string, string> }))
      .messages[0]!.content as { text: string }

  it('a prompt takes the transcript’s address for its id', async () => {
    const byId = await get({ transcript_id: 'tr_local' })
    for (const transcript_id of ['transcript://tr_local', 'transcript://tr_local/srt'])
      expect(await get({ transcript_id })).toEqual(byId)
  })

  it('a prompt takes null and "" for an argument that is left out', async () => {
    const without = await get({ transcript_id: 'tr_local' })
    for (const value of [null, '', ' '])
      expect(await get({ transcript_id: 'tr_local', language: value, focus: value })).toEqual(without)
    expect((await get({ transcript_id: 'tr_local', focus: 2024 })).text).toContain('Focus on: 2024')
  })
})
