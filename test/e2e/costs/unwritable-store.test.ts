// A store that takes nothing: nothing is paid for, lists say so, and a client may have the text all the same.
import { join } from 'node:path'
import Sqlite from 'libsql'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fixture, type System, startSystem } from '../../support/e2e/system.ts'

let system: System

beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.close())

const audio = fixture('voice-note.ogg')

it('a store that takes nothing is told of in lists and for missing transcripts, and costs nothing unless the client allows it', async () => {
  const file = join(system.env.SPEECH_DATA_DIR!, 'speech.db')
  await system.call('search_transcripts', {})
  // Refuses new rows, also for root.
  const database = new Sqlite(file)
  database.pragma('wal_checkpoint(TRUNCATE)')
  for (const table of ['jobs', 'transcripts'])
    database.exec(`CREATE TRIGGER no_${table} BEFORE INSERT ON ${table} BEGIN SELECT RAISE(FAIL, 'no'); END`)
  database.close()
  const refused = await system.call('transcribe_audio', { audio })
  expect(refused).toMatchObject({ isError: true })
  expect(refused.text).toMatch(/^STORE_FAILED: The transcript database failed.*allow_unsaved: true/)
  expect(system.dashscope.requests).toEqual([])
  const list = await system.call('search_transcripts', {})
  expect(list.data.warnings).toEqual([expect.stringContaining('Nothing can be stored now. STORE_FAILED')])
  expect(list.text).toContain('Nothing can be stored now.')
  const missing = await system.call('get_transcript', { transcript_id: 'tr_none' })
  expect(missing.text).toContain('Nothing can be stored now.')
  await expect(system.client.readResource({ uri: 'transcript://tr_none' })).rejects.toThrow(
    /not found.* Nothing can be stored now\./,
  )
  await expect(
    system.client.getPrompt({ name: 'draft_minutes', arguments: { transcript_id: 'tr_none' } }),
  ).rejects.toThrow('Nothing can be stored now.')
  const allowed = await system.call('transcribe_audio', { audio, allow_unsaved: true })
  expect(allowed.data).toMatchObject({ status: 'completed', text: expect.stringContaining('pharmacy') })
  expect(allowed.data.warnings.join()).toContain('is lost when the server ends')
})
