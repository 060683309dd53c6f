// The embedded store: the contract of all stores, and what only a file on a disk can go through.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Sqlite from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../src/domain/ports.ts'
import { sqliteStore } from '../src/drivers/store/sqlite.ts'
import { storeContract } from './support/store-contract.ts'
import { root, type TempFolder, tempFolder } from './support/system.ts'
import { segment, transcript } from './support/transcripts.ts'

storeContract('sqliteStore', async () => {
  const folder = await tempFolder()
  return { open: () => sqliteStore({ folder: join(folder.path, 'data') }), remove: folder.remove }
})

let temp: TempFolder
let folder: string
let file: string
let store: Store

beforeEach(async () => {
  temp = await tempFolder()
  folder = join(temp.path, 'made', 'by the store')
  file = join(folder, 'speech.db')
  store = sqliteStore({ folder })
})
afterEach(async () => {
  await store.close()
  await temp.remove()
})

async function fill(count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await store.putTranscript(transcript({ id: `t${i}`, segments: [segment('word '.repeat(600), 0, 600)] }))
}

/** A second folder with nothing but a copy of the file, whole and closed, and a store on it. */
async function copyOf(count: number): Promise<{ file: string; store: Store }> {
  await fill(count)
  new Sqlite(file).pragma('wal_checkpoint(TRUNCATE)')
  copyFileSync(file, join(temp.path, 'speech.db'))
  return { file: join(temp.path, 'speech.db'), store: sqliteStore({ folder: temp.path }) }
}

describe('the folder of the store', () => {
  it('is made with the first call, for its owner alone', async () => {
    expect(existsSync(folder)).toBe(false)
    await store.listTranscripts({ limit: 1 })
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  it('that is a file is an error that can be mended without a restart', async () => {
    const path = join(temp.path, 'a-file')
    writeFileSync(path, 'mine')
    const blocked = sqliteStore({ folder: path })
    await expect(blocked.getTranscript('a')).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(readFileSync(path, 'utf8')).toBe('mine')
    await temp.remove()
    expect(await blocked.getTranscript('a')).toBeUndefined()
    await blocked.close()
  })
})

describe('the version of the file', () => {
  it('is written down', async () => {
    await fill(1)
    expect(new Sqlite(file).prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 1 })
  })

  it.each(['wal', 'delete'])(
    'a newer one (journal: %s) is refused, and nothing is written',
    async journal => {
      const copy = await copyOf(2)
      const newer = new Sqlite(copy.file)
      newer.pragma(`journal_mode = ${journal}`)
      newer.exec('PRAGMA user_version = 2')
      if (journal === 'wal') newer.pragma('wal_checkpoint(TRUNCATE)')
      const before = readFileSync(copy.file)
      await expect(copy.store.listTranscripts({ limit: 1 })).rejects.toMatchObject({ code: 'STORE_TOO_NEW' })
      await expect(copy.store.putTranscript(transcript())).rejects.toMatchObject({ code: 'STORE_TOO_NEW' })
      expect(readFileSync(copy.file).equals(before)).toBe(true)
    },
  )
})

describe('a damaged file', () => {
  /** What is wrong with the file; what each makes of the bytes. */
  const damages: [string, (path: string, bytes: Buffer) => void][] = [
    ['other bytes', path => writeFileSync(path, Buffer.alloc(9000, 'not a database '))],
    ['a spoilt header', (path, bytes) => writeFileSync(path, bytes.fill(0, 0, 16))],
    ['cut off in the middle', (path, bytes) => truncateSync(path, bytes.length >> 1)],
    ['cut off in the first page', path => truncateSync(path, 1000)],
    ['overwritten after the first page', (path, bytes) => writeFileSync(path, bytes.fill(0xee, 4096))],
  ]

  it.each(damages)('(%s) is called damaged and left as it is', async (_, damage) => {
    const copy = await copyOf(30)
    damage(copy.file, readFileSync(copy.file))
    const before = readFileSync(copy.file)
    for (const call of [
      () => copy.store.listTranscripts({ limit: 50 }),
      () => copy.store.getTranscript('t3'),
      () => copy.store.putTranscript(transcript()),
    ])
      await expect(call()).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    expect(readFileSync(copy.file).equals(before)).toBe(true)
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
      Array.from({ length: 30 }, (_, i) => copy.store.getTranscript(`t${i}`)),
    )
    const failed = results.filter(({ status }) => status === 'rejected')
    expect(failed).toMatchObject([{ reason: { code: 'STORE_DAMAGED' } }])
    expect((await copy.store.listTranscripts({ limit: 50 })).transcripts).toHaveLength(30)
  })
})

/** Starts a process that writes texts of these sizes under names that begin with `name`, once it is told to. */
async function writer(name: string, sizes: number[], largestFile = 'unlimited') {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const script = join(root, 'test', 'support', 'sqlite-child.ts')
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
    const { transcripts } = await store.listTranscripts({ limit: 100 })
    const expected = names.flatMap(name => Array.from({ length: 25 }, (_, i) => `${name}${i}`))
    expect(transcripts.map(({ id }) => id).sort()).toEqual(expected.sort())
  })
})

// A limit on the size of files stands for a disk without room: it needs no rights, and works the same everywhere.
describe('a full disk', () => {
  it('is said to be full, and what was there can still be read', async () => {
    await fill(1)
    const go = await writer('small', [100, 9_000_000, 100], '256')
    expect(await go()).toEqual({ writes: ['ok', 'DISK_FULL', 'ok'], read: 'ok' })
    expect((await store.listTranscripts({ limit: 9 })).transcripts.map(({ id }) => id)).toEqual([
      't0',
      'small2',
      'small0',
    ])
    expect((await store.getTranscript('t0'))?.segments[0]?.text).toContain('word word')
  })

  it.each(['0', '8', '64'])(
    'is said to be full when it is met while the file is made (%s blocks)',
    async blocks => {
      const go = await writer('small', [9_000_000], blocks)
      expect((await go()).writes).toEqual(['DISK_FULL'])
      await fill(1)
      expect((await store.getTranscript('t0'))?.id).toBe('t0')
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
    expect((await store.getTranscript('t0'))?.id).toBe('t0')
  })

  it('lets a store that is up to date be opened without a write', async () => {
    const copy = await copyOf(3)
    await copy.store.listTranscripts({ limit: 1 })
    await copy.store.close()
    expect(readdirSync(temp.path)).toContain('speech.db-wal')
    expect(statSync(join(temp.path, 'speech.db-wal')).size).toBe(0)
  })
})
