// Large values of the SQLite store, which are read in its thread.
import Sqlite from 'libsql'
import { expect, it } from 'vitest'
import { owner, useSqliteFile } from '../support/contracts/sqlite-file.ts'
import { longTranscript, segment, transcript } from '../support/transcripts.ts'

const { file, store } = useSqliteFile()
const titlesOf = async (query: string) =>
  (await store().searchTranscripts(owner, query, { limit: 5 })).transcripts.map(({ id }) => id)

it('a transcript of hours is read as it was stored, and found by its last words', async () => {
  const long = longTranscript('tr_long')
  expect(JSON.stringify(long).length).toBeGreaterThan(2_000_000)
  await store().putTranscript(owner, long)
  expect(await store().getTranscript(owner, 'tr_long')).toEqual(long)
  expect(await titlesOf('word2879-12')).toEqual(['tr_long'])
  expect(await store().getTranscript('another', 'tr_long')).toBeUndefined()
})

it('a transcript of hours that is stored again is found by its new words alone', async () => {
  const long = longTranscript('tr_long')
  await store().putTranscript(owner, long)
  const segments = [...long.segments.slice(0, -1), segment('Goodbye', 14_395, 14_399)]
  await store().putTranscript(owner, { ...long, segments })
  expect(await titlesOf('goodbye')).toEqual(['tr_long'])
  expect(await titlesOf('word2879-12')).toEqual([])
  await store().putTranscript(owner, { ...long, segments: segments.slice(-1) })
  expect(await titlesOf('word0-0')).toEqual([])
  expect(await store().getTranscript(owner, 'tr_long')).toMatchObject({ segments: segments.slice(-1) })
})

it('short transcripts and checkpoints are written beside a long one', async () => {
  const short = transcript({ id: 'tr_short', segments: [segment('Hello', 0, 1)] })
  await Promise.all([
    store().putTranscript(owner, longTranscript('tr_long')),
    store().putTranscript(owner, short),
    store().putCheckpoint(owner, 'key', { seconds: 3 }, 'tr_short'),
  ])
  expect(await store().getTranscript(owner, 'tr_short')).toEqual(short)
  expect(await store().getCheckpoint(owner, 'key')).toEqual({ seconds: 3 })
  expect((await store().getTranscript(owner, 'tr_long'))?.segments).toHaveLength(2880)
})

it('a checkpoint with a long list is read as it was stored', async () => {
  const words = Array.from({ length: 30_000 }, (_, i) => ({ start: i, end: i + 0.5, text: `“word”\n${i}` }))
  const value = { hearing: { sentences: words, seconds: 9, url: undefined }, by: 'tr_1', none: [], at: null }
  await store().putCheckpoint(owner, 'key', value, 'tr_1')
  expect(await store().getCheckpoint(owner, 'key')).toEqual(value)
})

it('a long checkpoint keeps its place among the writes of its job', async () => {
  const long = { words: Array.from({ length: 30_000 }, (_, i) => `word ${i}`) }
  await Promise.all([
    store().putCheckpoint(owner, 'replaced', long, 'tr_1'),
    store().putCheckpoint(owner, 'replaced', 'new', 'tr_1'),
  ])
  expect(await store().getCheckpoint(owner, 'replaced')).toBe('new')
  await Promise.all([
    store().putCheckpoint(owner, 'deleted', long, 'tr_2'),
    store().deleteCheckpoints(owner, 'tr_2'),
  ])
  expect(await store().getCheckpoint(owner, 'deleted')).toBeUndefined()
})

it('a transcript of hours is read also where the file is moved in the same moment', async () => {
  const long = longTranscript('tr_long')
  await store().putTranscript(owner, long)
  const reads = [1, 2, 3].map(() => store().getTranscript(owner, 'tr_long'))
  await store().close()
  for (const read of reads) expect(await read).toEqual(long)
})

it('a transcript of hours waits while another process writes', async () => {
  await store().putCheckpoint(owner, 'key', {}, 'tr_1')
  const other = new Sqlite(file())
  other.exec('BEGIN IMMEDIATE')
  const stored = store().putTranscript(owner, longTranscript('tr_long'))
  expect(await store().getTranscript(owner, 'tr_long')).toBeUndefined()
  other.exec('ROLLBACK')
  other.close()
  await stored
  expect(await titlesOf('word0-0')).toEqual(['tr_long'])
})
