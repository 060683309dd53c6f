// The SQLite store: the contract of stores, its folder, its version and its search index.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'libsql'
import { describe, expect, it } from 'vitest'
import { sqliteStore } from '../../src/drivers/store/sqlite/sqlite.ts'
import { owner, useSqliteFile } from '../support/contracts/sqlite-file.ts'
import { storeContract } from '../support/contracts/store.ts'
import { tempFolder } from '../support/e2e/system.ts'
import { transcript } from '../support/transcripts.ts'

storeContract('the SQLite store', async () => {
  const folder = await tempFolder()
  return { open: () => sqliteStore({ folder: join(folder.path, 'data') }), remove: folder.remove }
})

const { copyOf, file, fill, folder, store, temp } = useSqliteFile()

describe('the folder of the SQLite file', () => {
  it('the folder is created by the first call, with access for its owner only', async () => {
    expect(existsSync(folder())).toBe(false)
    await store().listTranscripts(owner, { limit: 1 })
    expect(statSync(folder()).mode & 0o777).toBe(0o700)
  })

  it('looking for unfinished jobs does not create the folder', async () => {
    expect(await store().unfinishedJobs()).toEqual([])
    expect(existsSync(folder())).toBe(false)
  })

  it('a file instead of the folder is an error that can be corrected without a restart', async () => {
    const path = join(temp().path, 'a-file')
    writeFileSync(path, 'other content')
    const blocked = sqliteStore({ folder: path })
    await expect(blocked.getTranscript(owner, 'a')).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(readFileSync(path, 'utf8')).toBe('other content')
    await temp().remove()
    expect(await blocked.getTranscript(owner, 'a')).toBeUndefined()
    await blocked.close()
  })
})

describe('the version of the SQLite file', () => {
  it('a new file gets the current version', async () => {
    await fill(1)
    expect(new Sqlite(file()).prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 2 })
  })

  it.each(['wal', 'delete'])(
    'a file of a newer version (journal: %s) is refused and left unchanged',
    async journal => {
      const copy = await copyOf(2)
      const newer = new Sqlite(copy.file)
      newer.pragma(`journal_mode = ${journal}`)
      newer.exec('PRAGMA user_version = 3')
      if (journal === 'wal') newer.pragma('wal_checkpoint(TRUNCATE)')
      const before = readFileSync(copy.file)
      await expect(copy.store.listTranscripts(owner, { limit: 1 })).rejects.toMatchObject({
        code: 'STORE_TOO_NEW',
      })
      await expect(copy.store.putTranscript(owner, transcript())).rejects.toMatchObject({
        code: 'STORE_TOO_NEW',
      })
      expect(readFileSync(copy.file).equals(before)).toBe(true)
    },
  )
})

describe('the search index in the SQLite file', () => {
  const rows = () => new Sqlite(file()).prepare('SELECT rowid FROM search').all()

  it('deleting a transcript deletes its search terms', async () => {
    await fill(3)
    for (const id of ['t0', 't1', 't2']) await store().deleteTranscript(owner, id)
    expect(rows()).toEqual([])
  })

  it('a transcript that is stored twice is indexed once', async () => {
    await fill(1)
    await fill(1)
    expect(rows()).toHaveLength(1)
  })
})

it.each([
  ['nothing', undefined],
  ['a boolean', true],
  ['an object', { id: 'a' }],
  ['no number', Number.NaN],
  ['a huge integer', 10n ** 30n],
])('%s in place of an id is an error of the program, raised before SQLite sees it', async (_, value) => {
  const folder = await tempFolder()
  const store = sqliteStore({ folder: folder.path })
  await expect(store.getJob(owner, value as never)).rejects.toMatchObject({ code: 'INTERNAL' })
  await expect(store.deleteTranscript(owner, value as never)).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(store.warnings()).toEqual([])
  await store.close()
  await folder.remove()
})

describe('a store that closes', () => {
  it('searches that wait for their turn are answered before the store has closed', async () => {
    await fill(3)
    const searches = Array.from({ length: 5 }, () => store().searchTranscripts(owner, 'word', { limit: 1 }))
    // The first search has started its thread then.
    await searches[0]
    await store().close()
    await expect(Promise.all(searches)).resolves.toHaveLength(5)
  })
})

describe('a file that another process writes to', () => {
  it('a write that finds the file locked is stored once it is free, and holds up no later one', async () => {
    await fill(1)
    const other = new Sqlite(file())
    other.exec('BEGIN IMMEDIATE')
    const writing = store().putCheckpoint(owner, 'key', 'value', 'job')
    // By then the first attempt has found the lock.
    await store().getCheckpoint(owner, 'key')
    other.exec('COMMIT')
    await writing
    const readings = other.prepare('SELECT count(*) AS n FROM checkpoints').get()
    other.close()
    expect(readings).toMatchObject({ n: 1 })
    await fill(2)
    expect((await store().listTranscripts(owner, { limit: 9 })).transcripts).toHaveLength(2)
  })
})
