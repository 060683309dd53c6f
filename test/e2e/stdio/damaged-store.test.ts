// A database that is damaged during a job: no billed result is lost, and the damaged file is kept.
import { openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type SpacedSystem, startSpacedSystem } from '../../support/e2e/spaced-system.ts'
import { plainWords } from '../../support/e2e/system.ts'

let spaced: SpacedSystem

beforeAll(async () => {
  spaced = await startSpacedSystem(3)
})
afterAll(() => spaced.system.close())

it('a job whose database is damaged finishes in a new file, warns, and keeps the damaged file', async () => {
  const { system, transcribe, allWords } = spaced
  const folder = system.env.SPEECH_DATA_DIR!
  let held = 0
  const off = system.dashscope.fault({ kind: 'held', when: () => ++held > 0 })
  const call = transcribe({ timestamps: 'none' })
  await vi.waitFor(() => expect(held).toBe(3))
  // Checkpoint the write-ahead log first, so that reads use the database file.
  const { default: Sqlite } = await import('libsql')
  new Sqlite(join(folder, 'speech.db')).pragma('wal_checkpoint(TRUNCATE)')
  const file = openSync(join(folder, 'speech.db'), 'r+')
  writeSync(file, Buffer.alloc(60_000, 0xee), 0, 60_000, 4096)
  off()

  const { data, text } = await call
  expect(data, text).toMatchObject({ status: 'completed' })
  expect(plainWords(data.text)).toBe(allWords)
  expect(data.warnings.join()).toMatch(/damaged\. It is kept as speech\.db\.damaged-/)
  expect(readdirSync(folder).some(name => name.startsWith('speech.db.damaged-'))).toBe(true)
  const again = await system.call('get_transcript', { transcript_id: data.transcript_id, view: 'raw' })
  expect(plainWords(again.data.text)).toBe(allWords)
})
