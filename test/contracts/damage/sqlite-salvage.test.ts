// A damaged SQLite file that was set aside: what can be read of it is copied into the new one, with counts.
import { copyFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import type { Store } from '../../../src/domain/ports.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { setLogLevel } from '../../../src/log.ts'
import { damagedFilesIn, moveLogIntoFile, owner, useSqliteFile } from '../../support/contracts/sqlite-file.ts'
import { longTranscript, segment, transcript } from '../../support/transcripts.ts'

const { copyOf, file, fill, folder, store, temp } = useSqliteFile()

const at = '2026-03-01T10:00:00.000Z'

/** Waits for the sentence that names both counts. */
async function counts(of: Store): Promise<{ kept: number; lost: number }> {
  const said = await vi.waitFor(() => {
    const found = of.warnings().find(warning => warning.startsWith('Recovered from '))
    if (!found) throw new Error(`not yet: ${of.warnings().join()}`)
    return found
  })
  const [, kept, lost = '0'] = /: (\d+) transcripts\.(?: At least (\d+) could not be read\.)?$/.exec(said)!
  return { kept: Number(kept), lost: Number(lost) }
}

const idsIn = async (of: Store, by = owner) =>
  (await of.listTranscripts(by, { limit: 100 })).transcripts.map(({ id }) => id)

it.each<[string, (path: string, bytes: Buffer) => void, number]>([
  ['an overwritten header', (path, bytes) => writeFileSync(path, bytes.fill(0, 0, 16)), 30],
  ['a lost first page', (path, bytes) => writeFileSync(path, bytes.fill(0xee, 0, 4096)), 30],
  ['cut off in the middle', (path, bytes) => truncateSync(path, bytes.length >> 1), 8],
  [
    'overwritten in the middle',
    (path, bytes) =>
      writeFileSync(
        path,
        // The page in front makes a write find the damage.
        bytes.fill(0xee, 8192, 12_288).fill(0xee, bytes.length >> 1, (bytes.length >> 1) + 20_000),
      ),
    20,
  ],
])('transcripts of a damaged file (%s) are recovered whole and found again', async (_, damage, least) => {
  const copy = await copyOf(30)
  damage(copy.file, readFileSync(copy.file))
  await copy.store.putTranscript(owner, transcript({ id: 'after' }))
  const { kept, lost } = await counts(copy.store)
  expect(kept).toBeGreaterThanOrEqual(least)
  expect(kept + lost).toBe(30)
  const ids = (await idsIn(copy.store)).filter(id => id !== 'after')
  expect(ids).toHaveLength(kept)
  for (const id of ids)
    expect(await copy.store.getTranscript(owner, id)).toEqual(await store().getTranscript(owner, id))
  const found = await copy.store.searchTranscripts(owner, 'word', { limit: 100 })
  expect(found.transcripts.map(({ id }) => id)).toEqual(ids)
  await copy.store.close()
})

it('rows in the log keep their owners, and a finished job without its transcript is left out', async () => {
  const job = { tool: 'transcribe_audio', models: [], short: false, request: { audio: '/a.mp3' } }
  const times = { revision: 1, createdAt: at, updatedAt: at }
  await store().putTranscript(
    'one',
    transcript({ id: 'in-the-file', segments: [segment('word '.repeat(3000), 0, 1)] }),
  )
  moveLogIntoFile(file())
  for (const by of ['one', 'two'])
    await store().putTranscript(by, transcript({ id: 'in-the-log', title: by }))
  await store().addJob({ ...job, ...times, owner: 'one', id: 'waits', state: 'queued' } as never)
  await store().addJob({ ...job, ...times, owner: 'two', id: 'in-the-log', state: 'completed' } as never)
  await store().addJob({ ...job, ...times, owner: 'two', id: 'gone', state: 'completed' } as never)
  await store().putCheckpoint('one', 'part', { text: 'said' }, 'waits')
  await store().updateSpending('two', '2026-03-01', () => ({ usd: 1.5, held: {} }))
  const copied = join(temp().path, 'speech.db')
  for (const ending of ['', '-wal']) copyFileSync(file() + ending, copied + ending)
  writeFileSync(copied, readFileSync(copied).fill(0xee, 4096))
  const before = readFileSync(`${copied}-wal`)
  const copy = sqliteStore({ folder: temp().path })
  await copy.listTranscripts(owner, { limit: 1 })
  expect(await counts(copy)).toEqual({ kept: 2, lost: 1 })
  for (const by of ['one', 'two']) {
    expect(await idsIn(copy, by)).toEqual(['in-the-log'])
    expect(await copy.getTranscript(by, 'in-the-log')).toMatchObject({ title: by })
  }
  expect((await copy.unfinishedJobs()).map(({ owner: by, id }) => [by, id])).toEqual([['one', 'waits']])
  expect(await copy.getJob('two', 'in-the-log')).toMatchObject({ state: 'completed' })
  expect(await copy.getJob('two', 'gone')).toBeUndefined()
  expect(await copy.getCheckpoint('one', 'part')).toEqual({ text: 'said' })
  expect(await copy.listSpending('2026-03')).toMatchObject([{ owner: 'two', usd: 1.5 }])
  await copy.close()
  const [kept] = damagedFilesIn(temp().path)
  expect(readFileSync(join(temp().path, `${kept}-wal`)).equals(before)).toBe(true)
})

it('a transcript written meanwhile wins, and deleted words do not come back', async () => {
  await fill(5)
  await store().putTranscript(owner, longTranscript('long'))
  await store().deleteTranscript(owner, 't1')
  await store().putTranscript(owner, transcript({ id: 't2', title: 'Second' }))
  moveLogIntoFile(file())
  writeFileSync(file(), readFileSync(file()).fill(0, 0, 16))
  const copy = sqliteStore({ folder: folder() })
  await copy.putTranscript(owner, transcript({ id: 't3', segments: [segment('newer', 0, 1)] }))
  expect(await counts(copy)).toEqual({ kept: 5, lost: 0 })
  expect(await copy.getTranscript(owner, 'long')).toEqual(longTranscript('long'))
  expect((await idsIn(copy)).sort()).toEqual(['long', 't0', 't2', 't3', 't4'])
  expect(await copy.getTranscript(owner, 't2')).toMatchObject({ title: 'Second' })
  expect((await copy.getTranscript(owner, 't3'))?.segments).toMatchObject([{ text: 'newer' }])
  await copy.close()
})

it('the next start goes on with what was left, and logs the counts', async () => {
  const copy = await copyOf(30)
  writeFileSync(copy.file, readFileSync(copy.file).fill(0, 0, 16))
  await copy.store.listTranscripts(owner, { limit: 1 })
  expect(copy.store.warnings().join()).toMatch(/ are being recovered: \d+ until now/)
  await vi.waitFor(() => expect(copy.store.warnings().join()).toMatch(/: [1-9]\d* until now/), {
    interval: 1,
    timeout: 10_000,
  })
  await copy.store.close()
  expect(existsSync(`${copy.file}.recovery`)).toBe(true)

  setLogLevel('warn')
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const next = sqliteStore({ folder: temp().path })
  const [first] = await idsIn(next)
  await next.deleteTranscript(owner, first!)
  expect(await counts(next)).toEqual({ kept: 30, lost: 0 })
  expect(await idsIn(next)).toHaveLength(29)
  const lines = written.mock.calls.map(([line]) => JSON.parse(String(line)))
  const [kept] = damagedFilesIn(temp().path)
  expect(lines).toMatchObject([{ event: 'store-salvaged', kept, transcripts: 30, lost: 0 }])
  expect(existsSync(`${copy.file}.recovery`)).toBe(false)
  await next.close()
})

it('a file that was not erased by an older version is left as it is', async () => {
  const copy = await copyOf(5)
  const bytes = readFileSync(copy.file)
  bytes.writeUInt32BE(0, 68)
  writeFileSync(copy.file, bytes.fill(0xee, 4096, 8192))
  await copy.store.putTranscript(owner, transcript({ id: 'after' }))
  await vi.waitFor(() => expect(existsSync(`${copy.file}.recovery`)).toBe(false))
  expect(await idsIn(copy.store)).toEqual(['after'])
  await copy.store.close()
})
