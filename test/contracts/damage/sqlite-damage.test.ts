// A damaged SQLite file: it is set aside unchanged, and the store continues with a new one.
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'libsql'
import { describe, expect, it, vi } from 'vitest'
import type { Store } from '../../../src/domain/ports.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { setLogLevel } from '../../../src/log.ts'
import { damagedFilesIn, moveLogIntoFile, owner, useSqliteFile } from '../../support/contracts/sqlite-file.ts'
import { segment, transcript } from '../../support/transcripts.ts'

const { copyOf, file, fill, folder, store, temp } = useSqliteFile()

describe('a damaged SQLite file', () => {
  /** Kinds of damage, and how to cause them. */
  const damages: [string, (path: string, bytes: Buffer) => void][] = [
    ['other bytes', path => writeFileSync(path, Buffer.alloc(9000, 'not a database '))],
    ['an overwritten header', (path, bytes) => writeFileSync(path, bytes.fill(0, 0, 16))],
    ['cut off in the middle', (path, bytes) => truncateSync(path, bytes.length >> 1)],
    ['cut off in the first page', path => truncateSync(path, 1000)],
    ['overwritten after the first page', (path, bytes) => writeFileSync(path, bytes.fill(0xee, 4096))],
  ]

  const calls: [string, (store: Store) => Promise<unknown>, unknown][] = [
    ['a list', store => store.listTranscripts(owner, { limit: 50 }), { transcripts: [] }],
    ['a transcript', store => store.getTranscript(owner, 't3'), undefined],
    ['unfinished jobs', store => store.unfinishedJobs(), []],
    ['a write', store => store.putTranscript(owner, transcript()), undefined],
  ]

  it.each(
    damages.flatMap(([name, damage]) =>
      calls.map(([call, ask, answer]) => ({ name, damage, call, ask, answer })),
    ),
  )(
    'a damaged file ($name) opened by $call is set aside unchanged, and a new one answers',
    async ({ damage, ask, answer }) => {
      const copy = await copyOf(30)
      damage(copy.file, readFileSync(copy.file))
      const before = readFileSync(copy.file)
      expect(await ask(copy.store)).toStrictEqual(answer)
      const [kept, ...more] = damagedFilesIn(temp().path)
      expect(more).toEqual([])
      expect(readFileSync(join(temp().path, kept!)).equals(before)).toBe(true)
      await copy.store.putTranscript(owner, transcript({ id: 'after' }))
      await copy.store.close()
      expect((await copy.store.getTranscript(owner, 'after'))?.id).toBe('after')
      expect(readFileSync(join(temp().path, kept!)).equals(before)).toBe(true)
      await copy.store.close()
    },
  )

  it('a file that was set aside is named in the warning and in the log, without its folder', async () => {
    setLogLevel('error')
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const copy = await copyOf(1)
    truncateSync(copy.file, 1000)
    expect(copy.store.warnings()).toEqual([])
    await copy.store.listTranscripts(owner, { limit: 1 })
    const [kept] = damagedFilesIn(temp().path)
    expect(copy.store.warnings()[0]).toMatch(
      /^The transcript database was damaged\. It is kept as .* with all older transcripts\.$/,
    )
    const lines = written.mock.calls.map(([line]) => String(line))
    expect(lines.map(line => JSON.parse(line))).toMatchObject([
      { level: 'error', event: 'store-damaged', kept },
    ])
    for (const said of [copy.store.warnings().join(), ...lines]) {
      expect(said).toContain(kept)
      expect(said).not.toContain(temp().path)
    }
    await copy.store.close()
  })

  it('a damaged file is set aside with its log, byte for byte', async () => {
    await fill(20)
    moveLogIntoFile(file())
    await store().putTranscript(owner, transcript({ id: 'in-the-log' }))
    const copied = join(temp().path, 'speech.db')
    for (const ending of ['', '-wal']) copyFileSync(file() + ending, copied + ending)
    writeFileSync(copied, readFileSync(copied).fill(0xee, 4096))
    const before = ['', '-wal'].map(ending => readFileSync(copied + ending))
    const copy = sqliteStore({ folder: temp().path })
    await copy.putTranscript(owner, transcript({ id: 'after' }))
    await copy.close()
    const [kept] = damagedFilesIn(temp().path)
    expect(before[1]!.length).toBeGreaterThan(0)
    for (const [i, ending] of ['', '-wal'].entries())
      expect(readFileSync(join(temp().path, kept + ending)).equals(before[i]!)).toBe(true)
  })

  it('a file that is set aside never replaces an earlier one', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const damagedBytes = [Buffer.alloc(9000, 'first '), Buffer.alloc(9000, 'second ')]
    for (const bytes of damagedBytes) {
      mkdirSync(folder(), { recursive: true })
      for (const ending of ['', '-wal', '-shm']) rmSync(file() + ending, { force: true })
      writeFileSync(file(), bytes)
      const found = sqliteStore({ folder: folder() })
      await found.listTranscripts(owner, { limit: 1 })
      await found.close()
    }
    const kept = damagedFilesIn(folder()).sort((one, other) => one.length - other.length)
    expect(kept.map(name => readFileSync(join(folder(), name)))).toEqual(damagedBytes)
  })

  it('a damaged file that cannot be moved is left unchanged and reported', async () => {
    const copy = await copyOf(3)
    truncateSync(copy.file, 1000)
    const before = readFileSync(copy.file)
    mkdirSync(`${copy.file}.lock`)
    for (const [, ask] of calls)
      await expect(ask(copy.store)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    expect(readFileSync(copy.file).equals(before)).toBe(true)
    expect(damagedFilesIn(temp().path)).toEqual([])
  })

  it('damage in one page leaves other reads intact, and the next write sets the file aside', async () => {
    await fill(30)
    await store().putTranscript(
      owner,
      transcript({ id: 'last', segments: [segment(`end ${'z'.repeat(3000)}`, 0, 1)] }),
    )
    const copy = await copyOf(0)
    const bytes = readFileSync(copy.file)
    const page = Math.floor(bytes.indexOf('end zzzz') / 4096) * 4096
    writeFileSync(copy.file, bytes.fill(0xee, page, page + 4096))
    const before = readFileSync(copy.file)
    await expect(copy.store.getTranscript(owner, 'last')).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    expect((await copy.store.getTranscript(owner, 't3'))?.id).toBe('t3')
    expect(damagedFilesIn(temp().path)).toEqual([])
    expect(copy.store.warnings()).toMatchObject([expect.stringMatching(/^STORE_DAMAGED: A part /)])
    await copy.store.putTranscript(owner, transcript({ id: 'after' }))
    expect((await copy.store.listTranscripts(owner, { limit: 9 })).transcripts).toMatchObject([
      { id: 'after' },
    ])
    const [kept] = damagedFilesIn(temp().path)
    expect(copy.store.warnings().join()).toContain(kept)
    await copy.store.close()
    expect(readFileSync(join(temp().path, kept!)).equals(before)).toBe(true)
  })

  it('a store stops writing to a file that another store has set aside', async () => {
    await fill(30)
    moveLogIntoFile(file())
    const other = sqliteStore({ folder: folder() })
    truncateSync(file(), 1000)
    const before = readFileSync(file())
    await other.putTranscript(owner, transcript({ id: 'first' }))
    await store().putTranscript(owner, transcript({ id: 'second' }))
    const { transcripts } = await other.listTranscripts(owner, { limit: 9 })
    expect(transcripts.map(({ id }) => id)).toEqual(['second', 'first'])
    const [kept, ...more] = damagedFilesIn(folder())
    expect(more).toEqual([])
    expect(other.warnings()[0]).toEqual(store().warnings()[0])
    expect(store().warnings().join()).toContain(kept)
    await store().close()
    await other.close()
    expect(readFileSync(join(folder(), kept!)).equals(before)).toBe(true)
    expect(await store().getTranscript(owner, 'second')).toMatchObject({ id: 'second' })
  })

  it('a file that was deleted while open is created again', async () => {
    await fill(1)
    for (const name of readdirSync(folder())) rmSync(join(folder(), name))
    expect(await store().getTranscript(owner, 't0')).toBeUndefined()
    await fill(1)
    expect(new Sqlite(file()).prepare('SELECT count(*) AS count FROM transcripts').get()).toMatchObject({
      count: 1,
    })
    expect(store().warnings()).toEqual([])
  })

  it('one damaged job does not affect the other unfinished jobs', async () => {
    const createdAt = '2026-03-01T10:00:00.000Z'
    const one = {
      owner: owner,
      tool: 'transcribe_audio',
      models: [] as string[],
      short: false,
      request: { audio: '/a.mp3' },
      state: 'queued',
    } as const
    for (const id of ['a', 'b'])
      await store().addJob({ ...one, id, revision: 1, createdAt, updatedAt: createdAt })
    new Sqlite(file()).exec(`UPDATE jobs SET body = CAST(x'eeeeee' AS TEXT) WHERE id = 'a'`)
    expect((await store().unfinishedJobs()).map(({ id }) => id)).toEqual(['b'])
    await expect(store().getJob(owner, 'a')).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
  })

  it.each([
    ['bytes that are no text', 0xee],
    ['zeros', 0],
  ])('%s inside one transcript leave the others readable', async (_, byte) => {
    const copy = await copyOf(30)
    const bytes = readFileSync(copy.file)
    const at = bytes.indexOf('word word word', bytes.length >> 1)
    writeFileSync(copy.file, bytes.fill(byte, at, at + 50))
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => copy.store.getTranscript(owner, `t${i}`)),
    )
    const failed = results.filter(({ status }) => status === 'rejected')
    expect(failed).toMatchObject([{ reason: { code: 'STORE_DAMAGED' } }])
    expect((await copy.store.listTranscripts(owner, { limit: 50 })).transcripts).toHaveLength(30)
  })
})
