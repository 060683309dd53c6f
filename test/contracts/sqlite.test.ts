// The embedded store: the contract of all stores, and what only a file on a disk can go through.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Sqlite from 'libsql'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Store } from '../../src/domain/ports.ts'
import { sqliteStore } from '../../src/drivers/store/sqlite/sqlite.ts'
import { setLogLevel } from '../../src/log.ts'
import { storeContract } from '../support/contracts/store.ts'
import { root, type TempFolder, tempFolder } from '../support/e2e/system.ts'
import { segment, transcript } from '../support/transcripts.ts'

storeContract('sqliteStore', async () => {
  const folder = await tempFolder()
  return { open: () => sqliteStore({ folder: join(folder.path, 'data') }), remove: folder.remove }
})

const me = 'local'
let temp: TempFolder
let folder: string
let file: string
let store: Store

beforeEach(async () => {
  setLogLevel('silent')
  temp = await tempFolder()
  folder = join(temp.path, 'made', 'by the store')
  file = join(folder, 'speech.db')
  store = sqliteStore({ folder })
})
afterEach(async () => {
  setLogLevel('warn')
  vi.restoreAllMocks()
  vi.useRealTimers()
  await store.close()
  await temp.remove()
})

async function fill(count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await store.putTranscript(
      me,
      transcript({ id: `t${i}`, segments: [segment('word '.repeat(600), 0, 600)] }),
    )
}

/** Lets all that was written be in the file itself. */
function emptyLog(path: string): void {
  const database = new Sqlite(path)
  database.pragma('wal_checkpoint(TRUNCATE)')
  database.close()
}

/** A second folder with nothing but a copy of the file, whole and closed, and a store on it. */
async function copyOf(count: number): Promise<{ file: string; store: Store }> {
  await fill(count)
  emptyLog(file)
  copyFileSync(file, join(temp.path, 'speech.db'))
  return { file: join(temp.path, 'speech.db'), store: sqliteStore({ folder: temp.path }) }
}

describe('the folder of the store', () => {
  it('is made with the first call, for its owner alone', async () => {
    expect(existsSync(folder)).toBe(false)
    await store.listTranscripts(me, { limit: 1 })
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  it('is not made by looking for unfinished jobs', async () => {
    expect(await store.unfinishedJobs()).toEqual([])
    expect(existsSync(folder)).toBe(false)
  })

  it('that is a file is an error that can be mended without a restart', async () => {
    const path = join(temp.path, 'a-file')
    writeFileSync(path, 'mine')
    const blocked = sqliteStore({ folder: path })
    await expect(blocked.getTranscript(me, 'a')).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(readFileSync(path, 'utf8')).toBe('mine')
    await temp.remove()
    expect(await blocked.getTranscript(me, 'a')).toBeUndefined()
    await blocked.close()
  })
})

describe('the version of the file', () => {
  it('is written down', async () => {
    await fill(1)
    expect(new Sqlite(file).prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 2 })
  })

  it.each(['wal', 'delete'])(
    'a newer one (journal: %s) is refused, and nothing is written',
    async journal => {
      const copy = await copyOf(2)
      const newer = new Sqlite(copy.file)
      newer.pragma(`journal_mode = ${journal}`)
      newer.exec('PRAGMA user_version = 3')
      if (journal === 'wal') newer.pragma('wal_checkpoint(TRUNCATE)')
      const before = readFileSync(copy.file)
      await expect(copy.store.listTranscripts(me, { limit: 1 })).rejects.toMatchObject({
        code: 'STORE_TOO_NEW',
      })
      await expect(copy.store.putTranscript(me, transcript())).rejects.toMatchObject({
        code: 'STORE_TOO_NEW',
      })
      expect(readFileSync(copy.file).equals(before)).toBe(true)
    },
  )
})

describe('the words that a transcript is found by', () => {
  const rows = () => new Sqlite(file).prepare('SELECT rowid FROM search').all()

  it('go with it, so that the file does not fill with those of deleted ones', async () => {
    await fill(3)
    for (const id of ['t0', 't1', 't2']) await store.deleteTranscript(me, id)
    expect(rows()).toEqual([])
  })

  it('stand there once, however often it is put', async () => {
    await fill(1)
    await fill(1)
    expect(rows()).toHaveLength(1)
  })
})

/** The names of the files that were set aside in a folder, without the log and index beside them. */
function keptIn(path: string): string[] {
  return readdirSync(path).filter(name => /^speech\.db\.damaged-.*Z(-\d+)?$/.test(name))
}

describe('a damaged file', () => {
  /** What is wrong with the file; what each makes of the bytes. */
  const damages: [string, (path: string, bytes: Buffer) => void][] = [
    ['other bytes', path => writeFileSync(path, Buffer.alloc(9000, 'not a database '))],
    ['a spoilt header', (path, bytes) => writeFileSync(path, bytes.fill(0, 0, 16))],
    ['cut off in the middle', (path, bytes) => truncateSync(path, bytes.length >> 1)],
    ['cut off in the first page', path => truncateSync(path, 1000)],
    ['overwritten after the first page', (path, bytes) => writeFileSync(path, bytes.fill(0xee, 4096))],
  ]

  const calls: [string, (store: Store) => Promise<unknown>, unknown][] = [
    ['a list', store => store.listTranscripts(me, { limit: 50 }), { transcripts: [] }],
    ['a transcript', store => store.getTranscript(me, 't3'), undefined],
    ['unfinished jobs', store => store.unfinishedJobs(), []],
    ['a write', store => store.putTranscript(me, transcript()), undefined],
  ]

  it.each(
    damages.flatMap(([name, damage]) =>
      calls.map(([call, ask, answer]) => ({ name, damage, call, ask, answer })),
    ),
  )(
    '($name) that $call opens is set aside as it is, and a new one answers',
    async ({ damage, ask, answer }) => {
      const copy = await copyOf(30)
      damage(copy.file, readFileSync(copy.file))
      const before = readFileSync(copy.file)
      expect(await ask(copy.store)).toStrictEqual(answer)
      const [kept, ...more] = keptIn(temp.path)
      expect(more).toEqual([])
      expect(readFileSync(join(temp.path, kept!)).equals(before)).toBe(true)
      await copy.store.putTranscript(me, transcript({ id: 'after' }))
      await copy.store.close()
      expect((await copy.store.getTranscript(me, 'after'))?.id).toBe('after')
      expect(readFileSync(join(temp.path, kept!)).equals(before)).toBe(true)
      await copy.store.close()
    },
  )

  it('is named in a notice and in the log, without its folder', async () => {
    setLogLevel('error')
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const copy = await copyOf(1)
    truncateSync(copy.file, 1000)
    expect(copy.store.warning()).toBeUndefined()
    await copy.store.listTranscripts(me, { limit: 1 })
    const [kept] = keptIn(temp.path)
    expect(copy.store.warning()).toMatch(
      /^The transcript database was damaged\. It is kept as .* with all older transcripts\.$/,
    )
    const lines = written.mock.calls.map(([line]) => String(line))
    expect(lines.map(line => JSON.parse(line))).toMatchObject([
      { level: 'error', event: 'store-damaged', kept },
    ])
    for (const said of [copy.store.warning(), ...lines]) {
      expect(said).toContain(kept)
      expect(said).not.toContain(temp.path)
    }
    await copy.store.close()
  })

  it('is set aside with its log, byte for byte', async () => {
    await fill(20)
    emptyLog(file)
    await store.putTranscript(me, transcript({ id: 'in-the-log' }))
    const copied = join(temp.path, 'speech.db')
    for (const ending of ['', '-wal']) copyFileSync(file + ending, copied + ending)
    writeFileSync(copied, readFileSync(copied).fill(0xee, 4096))
    const before = ['', '-wal'].map(ending => readFileSync(copied + ending))
    const copy = sqliteStore({ folder: temp.path })
    await copy.putTranscript(me, transcript({ id: 'after' }))
    await copy.close()
    const [kept] = keptIn(temp.path)
    expect(before[1]!.length).toBeGreaterThan(0)
    for (const [i, ending] of ['', '-wal'].entries())
      expect(readFileSync(join(temp.path, kept + ending)).equals(before[i]!)).toBe(true)
  })

  it('never takes the name of another that was set aside', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const damagedBytes = [Buffer.alloc(9000, 'first '), Buffer.alloc(9000, 'second ')]
    for (const bytes of damagedBytes) {
      mkdirSync(folder, { recursive: true })
      for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true })
      writeFileSync(file, bytes)
      const found = sqliteStore({ folder })
      await found.listTranscripts(me, { limit: 1 })
      await found.close()
    }
    const kept = keptIn(folder).sort((one, other) => one.length - other.length)
    expect(kept.map(name => readFileSync(join(folder, name)))).toEqual(damagedBytes)
  })

  it('that cannot be moved is left as it is, and said to be damaged', async () => {
    const copy = await copyOf(3)
    truncateSync(copy.file, 1000)
    const before = readFileSync(copy.file)
    mkdirSync(`${copy.file}.lock`)
    for (const [, ask] of calls)
      await expect(ask(copy.store)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    expect(readFileSync(copy.file).equals(before)).toBe(true)
    expect(keptIn(temp.path)).toEqual([])
  })

  it('in one page gives what is elsewhere to reads, and is set aside by the write that meets it', async () => {
    await fill(30)
    await store.putTranscript(
      me,
      transcript({ id: 'last', segments: [segment(`end ${'z'.repeat(3000)}`, 0, 1)] }),
    )
    const copy = await copyOf(0)
    const bytes = readFileSync(copy.file)
    const page = Math.floor(bytes.indexOf('end zzzz') / 4096) * 4096
    writeFileSync(copy.file, bytes.fill(0xee, page, page + 4096))
    const before = readFileSync(copy.file)
    await expect(copy.store.getTranscript(me, 'last')).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    expect((await copy.store.getTranscript(me, 't3'))?.id).toBe('t3')
    expect([keptIn(temp.path), copy.store.warning()]).toEqual([[], undefined])
    await copy.store.putTranscript(me, transcript({ id: 'after' }))
    expect((await copy.store.listTranscripts(me, { limit: 9 })).transcripts).toMatchObject([{ id: 'after' }])
    const [kept] = keptIn(temp.path)
    expect(copy.store.warning()).toContain(kept)
    await copy.store.close()
    expect(readFileSync(join(temp.path, kept!)).equals(before)).toBe(true)
  })

  it('that another store has set aside is written to no more by one that has it open', async () => {
    await fill(30)
    emptyLog(file)
    const other = sqliteStore({ folder })
    truncateSync(file, 1000)
    const before = readFileSync(file)
    await other.putTranscript(me, transcript({ id: 'other' }))
    await store.putTranscript(me, transcript({ id: 'mine' }))
    const { transcripts } = await other.listTranscripts(me, { limit: 9 })
    expect(transcripts.map(({ id }) => id)).toEqual(['other', 'mine'])
    const [kept, ...more] = keptIn(folder)
    expect(more).toEqual([])
    expect([store.warning(), other.warning()]).toEqual([store.warning(), store.warning()])
    expect(store.warning()).toContain(kept)
    await store.close()
    await other.close()
    expect(readFileSync(join(folder, kept!)).equals(before)).toBe(true)
    expect(await store.getTranscript(me, 'mine')).toMatchObject({ id: 'mine' })
  })

  it('that was deleted meanwhile is begun anew', async () => {
    await fill(1)
    for (const name of readdirSync(folder)) rmSync(join(folder, name))
    expect(await store.getTranscript(me, 't0')).toBeUndefined()
    await fill(1)
    expect(new Sqlite(file).prepare('SELECT count(*) AS count FROM transcripts').get()).toMatchObject({
      count: 1,
    })
    expect(store.warning()).toBeUndefined()
  })

  it('in one unfinished job lets the others go on', async () => {
    const createdAt = '2026-03-01T10:00:00.000Z'
    const one = {
      owner: me,
      tool: 'transcribe_audio',
      models: [] as string[],
      short: false,
      request: { audio: '/a.mp3' },
      state: 'queued',
    } as const
    for (const id of ['a', 'b'])
      await store.addJob({ ...one, id, revision: 1, createdAt, updatedAt: createdAt })
    new Sqlite(file).exec(`UPDATE jobs SET body = CAST(x'eeeeee' AS TEXT) WHERE id = 'a'`)
    expect((await store.unfinishedJobs()).map(({ id }) => id)).toEqual(['b'])
    await expect(store.getJob(me, 'a')).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
  })

  it.each([
    ['bytes that are no text', 0xee],
    ['zeros', 0],
  ])('with %s inside one transcript still gives the others', async (_, byte) => {
    const copy = await copyOf(30)
    const bytes = readFileSync(copy.file)
    const at = bytes.indexOf('word word word', bytes.length >> 1)
    writeFileSync(copy.file, bytes.fill(byte, at, at + 50))
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => copy.store.getTranscript(me, `t${i}`)),
    )
    const failed = results.filter(({ status }) => status === 'rejected')
    expect(failed).toMatchObject([{ reason: { code: 'STORE_DAMAGED' } }])
    expect((await copy.store.listTranscripts(me, { limit: 50 })).transcripts).toHaveLength(30)
  })
})

/** Starts a process that writes texts of these sizes under names that begin with `name`, once it is told to. */
async function writer(name: string, sizes: number[], largestFile = 'unlimited') {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const script = join(root, 'test', 'support', 'sqlite-writer-process.ts')
  const child = spawn(
    'sh',
    [
      '-c',
      'ulimit -f "$1"; shift; exec "$@"',
      'sh',
      largestFile,
      process.execPath,
      '--import',
      tsx,
      script,
    ].concat(folder, name, sizes.map(String)),
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  let output = ''
  child.stdout.on('data', piece => {
    output += piece
  })
  await once(child.stdout, 'data')
  return async (): Promise<{ writes: string[]; read: string }> => {
    child.stdin.write('go\n')
    await once(child, 'close')
    return JSON.parse(output.split('\n')[1]!)
  }
}

describe('processes that share the folder', () => {
  it('lose nothing when they write at once, from the making of the file on', async () => {
    const names = ['a', 'b', 'c']
    const writers = await Promise.all(names.map(name => writer(name, Array(25).fill(3000))))
    for (const { writes } of await Promise.all(writers.map(go => go())))
      expect(writes).toEqual(Array(25).fill('ok'))
    const { transcripts } = await store.listTranscripts(me, { limit: 100 })
    const expected = names.flatMap(name => Array.from({ length: 25 }, (_, i) => `${name}${i}`))
    expect(transcripts.map(({ id }) => id).sort()).toEqual(expected.sort())
  })

  it('set a damaged file aside once, and lose nothing of what they write then', async () => {
    await fill(30)
    await store.close()
    emptyLog(file)
    truncateSync(file, statSync(file).size >> 1)
    const before = readFileSync(file)
    const names = ['a', 'b', 'c', 'd']
    const writers = await Promise.all(names.map(name => writer(name, Array(10).fill(3000))))
    for (const { writes } of await Promise.all(writers.map(go => go())))
      expect(writes).toEqual(Array(10).fill('ok'))
    expect((await store.listTranscripts(me, { limit: 100 })).transcripts).toHaveLength(40)
    const kept = keptIn(folder)
    expect(kept).toHaveLength(1)
    expect(readFileSync(join(folder, kept[0]!)).equals(before)).toBe(true)
  })
})

// A limit on the size of files stands for a disk without room: it needs no rights, and works the same everywhere.
describe('a full disk', () => {
  it('is said to be full, and what was there can still be read', async () => {
    await fill(1)
    const go = await writer('small', [100, 9_000_000, 100], '1024')
    expect(await go()).toEqual({ writes: ['ok', 'DISK_FULL', 'ok'], read: 'ok' })
    expect((await store.listTranscripts(me, { limit: 9 })).transcripts.map(({ id }) => id)).toEqual([
      't0',
      'small2',
      'small0',
    ])
    expect((await store.getTranscript(me, 't0'))?.segments[0]?.text).toContain('word word')
  })

  it.each(['0', '8', '64'])(
    'is said to be full when it is met while the file is made (%s blocks)',
    async blocks => {
      const go = await writer('small', [9_000_000], blocks)
      expect((await go()).writes).toEqual(['DISK_FULL'])
      await fill(1)
      expect((await store.getTranscript(me, 't0'))?.id).toBe('t0')
    },
  )

  it('is said to be full when it is met while the tables are made', async () => {
    mkdirSync(folder, { recursive: true })
    // One page as large as a file may be leaves no room for the log of the next.
    const empty = new Sqlite(file)
    empty.exec('PRAGMA page_size = 65536; CREATE TABLE other (a); DROP TABLE other; VACUUM')
    const go = await writer('small', [100], '128')
    expect((await go()).writes).toEqual(['DISK_FULL'])
    await fill(1)
    expect((await store.getTranscript(me, 't0'))?.id).toBe('t0')
  })

  it('lets a store that is up to date be opened without a write', async () => {
    const copy = await copyOf(3)
    await copy.store.listTranscripts(me, { limit: 1 })
    await copy.store.close()
    expect(readdirSync(temp.path)).toContain('speech.db-wal')
    expect(statSync(join(temp.path, 'speech.db-wal')).size).toBe(0)
  })
})
