// A SQLite file shared by several processes, and on a full disk.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, truncateSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import Sqlite from 'libsql'
import { describe, expect, it, vi } from 'vitest'
import { damagedFilesIn, moveLogIntoFile, owner, useSqliteFile } from '../support/contracts/sqlite-file.ts'

const { copyOf, file, fill, folder, startWriter, store } = useSqliteFile()

describe('processes that share a SQLite file', () => {
  it('processes that write at once, from the creation of the file on, lose nothing', async () => {
    const names = ['a', 'b', 'c']
    const writers = await Promise.all(names.map(name => startWriter(name, Array(25).fill(3000))))
    for (const { writes } of await Promise.all(writers.map(write => write())))
      expect(writes).toEqual(Array(25).fill('ok'))
    const { transcripts } = await store().listTranscripts(owner, { limit: 100 })
    const expected = names.flatMap(name => Array.from({ length: 25 }, (_, i) => `${name}${i}`))
    expect(transcripts.map(({ id }) => id).sort()).toEqual(expected.sort())
  })

  it('processes set a damaged file aside once, and lose no later write', async () => {
    await fill(30)
    await store().close()
    moveLogIntoFile(file())
    truncateSync(file(), statSync(file()).size >> 1)
    const before = readFileSync(file())
    const names = ['a', 'b', 'c', 'd']
    const writers = await Promise.all(names.map(name => startWriter(name, Array(10).fill(3000))))
    for (const { writes } of await Promise.all(writers.map(write => write())))
      expect(writes).toEqual(Array(10).fill('ok'))
    const { transcripts } = await store().listTranscripts(owner, { limit: 100 })
    // Others are being recovered meanwhile.
    expect(transcripts.filter(({ id }) => !id.startsWith('t'))).toHaveLength(40)
    const kept = damagedFilesIn(folder())
    expect(kept).toHaveLength(1)
    expect(readFileSync(join(folder(), kept[0]!)).equals(before)).toBe(true)
  })

  it('a process closes the file and ends, while another one still reads it', async () => {
    await fill(1)
    const reader = new Sqlite(file())
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM transcripts').get()
    const child = startProcess('closing-store', folder())
    const ended = await endOf(child)
    reader.close()
    expect(ended).toEqual({ code: 0, stdout: 'closed\n' })
  })

  it('a process that opens a locked file in advance ends when it closes its store', async () => {
    mkdirSync(folder(), { recursive: true })
    const writer = new Sqlite(file())
    writer.exec('BEGIN EXCLUSIVE')
    const child = startProcess('warming-store', folder())
    const ended = endOf(child)
    // It would wait for the lock three times as long.
    await vi.waitFor(() => expect(child.exitCode).toBe(0), { timeout: 5_000 })
    writer.close()
    expect(await ended).toEqual({ code: 0, stdout: 'closed\n' })
  })
})

/** A process of this name, with the folder as its argument. */
function startProcess(name: string, folder: string) {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const script = fileURLToPath(new URL(`../support/contracts/${name}-process.ts`, import.meta.url))
  return spawn(process.execPath, ['--import', tsx, script, folder], { stdio: ['ignore', 'pipe', 'ignore'] })
}

/** Resolves when it has ended by itself. */
async function endOf(child: ReturnType<typeof startProcess>): Promise<{ code: number; stdout: string }> {
  const [[code], stdout] = await Promise.all([once(child, 'close'), text(child.stdout)])
  return { code, stdout }
}

describe('a file that another process moves while this one opens it', () => {
  /** Moves the file between its opening and its first statement: no other process can be stopped just there. */
  function moveAtFirstStatement(path: string): void {
    const { pragma } = Sqlite.prototype
    vi.spyOn(Sqlite.prototype, 'pragma').mockImplementationOnce(function (this: Sqlite.Database, source) {
      for (const ending of ['-wal', '-shm', ''])
        if (existsSync(path + ending)) renameSync(path + ending, `${path}.moved${ending}`)
      return pragma.call(this, source)
    })
  }

  it('a write is repeated on the file that is there now', async () => {
    await fill(1)
    await store().close()
    moveAtFirstStatement(file())
    await fill(2)
    expect((await store().listTranscripts(owner, { limit: 9 })).transcripts).toHaveLength(2)
  })

  it('a read finds the file that is there now', async () => {
    await fill(1)
    await store().close()
    moveAtFirstStatement(file())
    expect(await store().listTranscripts(owner, { limit: 9 })).toEqual({ transcripts: [] })
  })
})

// A limit on the file size stands for a full disk: it needs no privileges and works the same everywhere.
describe('a full disk under a SQLite file', () => {
  it('a full disk is reported, and existing transcripts stay readable', async () => {
    await fill(1)
    const write = await startWriter('small', [100, 9_000_000, 100], '1024')
    expect(await write()).toEqual({ writes: ['ok', 'DISK_FULL', 'ok'], read: 'ok' })
    expect((await store().listTranscripts(owner, { limit: 9 })).transcripts.map(({ id }) => id)).toEqual([
      't0',
      'small2',
      'small0',
    ])
    expect((await store().getTranscript(owner, 't0'))?.segments[0]?.text).toContain('word word')
  })

  it.each(['0', '8', '64'])(
    'a disk that is full while the file is created is reported (%s blocks)',
    async blocks => {
      const write = await startWriter('small', [9_000_000], blocks)
      expect((await write()).writes).toEqual(['DISK_FULL'])
      await fill(1)
      expect((await store().getTranscript(owner, 't0'))?.id).toBe('t0')
    },
  )

  it('a disk that is full while the tables are created is reported', async () => {
    mkdirSync(folder(), { recursive: true })
    // A first page of the maximum file size leaves no room for the log.
    const empty = new Sqlite(file())
    empty.exec('PRAGMA page_size = 65536; CREATE TABLE other (a); DROP TABLE other; VACUUM')
    const write = await startWriter('small', [100], '128')
    expect((await write()).writes).toEqual(['DISK_FULL'])
    await fill(1)
    expect((await store().getTranscript(owner, 't0'))?.id).toBe('t0')
  })

  it('opening a current file writes nothing', async () => {
    const copy = await copyOf(3)
    const before = readFileSync(copy.file)
    await copy.store.listTranscripts(owner, { limit: 1 })
    await copy.store.close()
    expect(readFileSync(copy.file).equals(before)).toBe(true)
    // Closing may leave an empty log.
    const log = statSync(`${copy.file}-wal`, { throwIfNoEntry: false })
    expect(log?.size ?? 0).toBe(0)
  })
})
