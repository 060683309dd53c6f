// Deletion in SQLite: the words are gone from every byte of the data folder.
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'libsql'
import { describe, expect, it, vi } from 'vitest'
import { localOwner } from '../../src/domain/job.ts'
import { isErasing } from '../../src/drivers/store/sqlite/schema.ts'
import { sqliteStore } from '../../src/drivers/store/sqlite/sqlite.ts'
import { maxEraseMs, owner, useSqliteFile } from '../support/contracts/sqlite-file.ts'
import { root } from '../support/e2e/system.ts'
import { longTranscript, segment, transcript } from '../support/transcripts.ts'

const { file, fill, folder, store, temp } = useSqliteFile()

/** Words that occur in the files of a folder. Latin letters are compared without case. */
function found(path: string, words: string[]): string[] {
  const lower = (bytes: Buffer) => bytes.toString('latin1').replace(/[A-Z]/g, letter => letter.toLowerCase())
  const files = readdirSync(path).map(name => lower(readFileSync(join(path, name))))
  return words.filter(word => files.some(text => text.includes(lower(Buffer.from(word)))))
}

const secrets = [
  'Xyzzyplugh',
  'Grünkohlpfannkuchen',
  '機密会議録',
  'Speakername',
  'Secrettitle',
  'Contextterm',
  'Chunkwords',
]
/** As the index stores them: without accents, each character of Chinese a term of its own, and perhaps without the beginning. */
const traces = [...secrets, 'zzyplugh', 'kohlpfannkuchen', 'akername', 'crettitle']

async function putSecret(): Promise<void> {
  const text = `${secrets[0]} ${secrets[1]} ${secrets[2]}`
  const speakers = [{ id: 'S1', name: secrets[3]!, seconds: 1, share: 1 }]
  await store().putTranscript(
    owner,
    transcript({ id: 'secret', title: secrets[4]!, segments: [segment(text, 0, 1)], speakers }),
  )
  const times = { createdAt: '2026-03-01T10:00:00.000Z', updatedAt: '2026-03-01T10:00:00.000Z' }
  const request = { audio: '/a.mp3', context: secrets[5]! }
  const job = {
    tool: 'transcribe_audio' as const,
    models: [],
    short: false,
    request,
    state: 'queued' as const,
  }
  await store().addJob({ owner, id: 'secret', revision: 1, ...job, ...times })
  await store().putCheckpoint(owner, 'chunk:1', { text: `${secrets[6]} ${text}` }, 'secret')
}

async function deleteSecret(from = store()): Promise<string[]> {
  await from.deleteTranscript(owner, 'secret')
  await from.deleteJob(owner, 'secret')
  await from.deleteCheckpoints(owner, 'secret')
  return from.erase()
}

/** A folder of version 0.1.0, whose deleted rows were not overwritten. */
function copyOfOldFolder(path: string): string {
  cpSync(join(root, 'test', 'support', 'data-folder-0.1.0'), path, { recursive: true })
  return path
}

describe('a deleted transcript', () => {
  it('a deleted transcript leaves no word in any file of the folder, while the store is open and after', async () => {
    await fill(40)
    await putSecret()
    await fill(20)
    expect(found(folder(), secrets)).toEqual(secrets)
    expect(await deleteSecret()).toEqual([])
    expect(found(folder(), traces)).toEqual([])
    const { transcripts } = await store().searchTranscripts(owner, 'word', { limit: 50 })
    expect(transcripts).toHaveLength(40)
    await store().close()
    expect(found(folder(), traces)).toEqual([])
  })

  it('every deleted transcript leaves no word where the index is one large part', async () => {
    const words = (id: string) => Array.from({ length: 4_000 }, (_, i) => `${id}${(i * 7919) % 100_003}`)
    for (const id of ['kept', 'first', 'secondly'])
      await store().putTranscript(
        owner,
        transcript({ id, title: id, segments: [segment(words(id).join(' '), 0, 1)] }),
      )
    for (const id of ['first', 'secondly']) {
      await store().deleteTranscript(owner, id)
      expect(await store().erase()).toEqual([])
      expect(found(folder(), [id, id.slice(1)])).toEqual([])
    }
    const { transcripts } = await store().searchTranscripts(owner, 'kept7919', { limit: 9 })
    expect(transcripts).toHaveLength(1)
  })

  it('a replaced transcript leaves no old word when the store is closed', async () => {
    await fill(5)
    await putSecret()
    await store().putTranscript(
      owner,
      transcript({ id: 'secret', title: 'New', segments: [segment('new', 0, 1)] }),
    )
    await store().close()
    expect(found(folder(), [secrets[0]!, secrets[3]!, secrets[4]!, 'akername', 'crettitle'])).toEqual([
      secrets[0],
    ])
    await store().deleteCheckpoints(owner, 'secret')
    await store().erase()
    expect(found(folder(), ['xyzzyplugh', 'yplugh'])).toEqual([])
  })

  it('a transcript that an older version has deleted leaves no word after the next deletion', async () => {
    const copy = copyOfOldFolder(join(temp().path, 'old'))
    const old = new Sqlite(join(copy, 'speech.db'))
    old.exec(
      "DELETE FROM transcripts WHERE body LIKE '%pharmacy%'; DELETE FROM checkpoints WHERE value LIKE '%pharmacy%'",
    )
    old.exec('DELETE FROM search WHERE rowid NOT IN (SELECT number FROM transcripts)')
    old.close()
    expect(found(copy, ['pharmacy'])).toEqual(['pharmacy'])
    const opened = sqliteStore({ folder: copy, maxEraseMs })
    await opened.deleteTranscript(localOwner, 'tr_none')
    expect(await opened.erase()).toEqual([])
    expect(found(copy, ['pharmacy', 'harmacy'])).toEqual([])
    expect((await opened.searchTranscripts(localOwner, 'ada', { limit: 9 })).transcripts).toHaveLength(1)
    await opened.close()
  })

  it('a deleted transcript whose log another process reads is named as left, and gone once that has finished', async () => {
    await putSecret()
    const reader = new Sqlite(file())
    reader.exec('BEGIN')
    reader.prepare('SELECT * FROM jobs').all()
    const deleting = sqliteStore({ folder: folder(), maxEraseMs: 1 })
    expect(await deleteSecret(deleting)).toEqual([expect.stringContaining('removed in the background')])
    reader.exec('COMMIT')
    await vi.waitFor(() => expect(found(folder(), traces)).toEqual([]))
    await deleting.close()
  })
})

/** A disk of its own, which needs root on Linux. */
function mountDisk(path: string, megabytes: number): boolean {
  mkdirSync(path)
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]).status === 0
}

describe('a file of an older version', () => {
  it('a store closes while its free pages wait to be overwritten, which is done once the file is free', async () => {
    const copy = copyOfOldFolder(join(temp().path, 'old'))
    const other = new Sqlite(join(copy, 'speech.db'))
    other.exec("INSERT INTO search (search) VALUES ('optimize')")
    other.exec('BEGIN IMMEDIATE')
    const opened = sqliteStore({ folder: copy, maxEraseMs: 500 })
    expect(await opened.erase()).toEqual([expect.stringContaining('removed in the background')])
    expect((await opened.searchTranscripts(localOwner, 'ada', { limit: 9 })).transcripts).toHaveLength(1)
    await opened.close()
    expect(isErasing(other)).toBe(false)
    other.exec('COMMIT')
    await vi.waitFor(() => expect(isErasing(other)).toBe(true))
    other.close()
  })

  it('free pages are overwritten at the next start if the disk has no room for a copy of the file', async context => {
    const disk = join(temp().path, 'disk')
    if (!mountDisk(disk, 1)) return context.skip()
    try {
      const opened = sqliteStore({ folder: copyOfOldFolder(join(disk, 'old')), maxEraseMs })
      writeFileSync(join(disk, 'other'), Buffer.alloc(700_000, 'x'))
      for (const _ of ['once', 'and not again']) {
        expect(await opened.erase()).toEqual([expect.stringContaining('removed in the background')])
        rmSync(join(disk, 'other'), { force: true })
      }
      await opened.close()
      expect(await opened.erase()).toEqual([])
      await opened.close()
    } finally {
      spawnSync('umount', ['-l', disk])
    }
  })
})

describe('a full disk', () => {
  it('transcripts are deleted one after another on a small disk that others fill each time', async context => {
    const disk = join(temp().path, 'disk')
    if (!mountDisk(disk, 18)) return context.skip()
    try {
      const opened = sqliteStore({ folder: disk, maxEraseMs })
      const ids = ['a', 'b', 'c', 'd']
      for (const id of ids) await opened.putTranscript(owner, { ...longTranscript(id), title: `Secret${id}` })
      await opened.erase()
      for (const id of ids.slice(1)) {
        expect(() => appendFileSync(join(disk, 'other'), Buffer.alloc(16_000_000, 'x'))).toThrow('ENOSPC')
        expect(await opened.deleteTranscript(owner, id)).toBe(true)
        await opened.erase()
      }
      await opened.close()
      spawnSync('mount', ['-o', 'remount,size=64m', disk])
      expect(await opened.erase()).toEqual([])
      expect(
        found(
          disk,
          ids.map(id => `Secret${id}`),
        ),
      ).toEqual(['Secreta'])
      await opened.close()
    } finally {
      spawnSync('umount', ['-l', disk])
    }
  })

  it('a transcript is deleted on a full disk, which is told of until there is room', async context => {
    const disk = join(temp().path, 'disk')
    if (!mountDisk(disk, 40)) return context.skip()
    try {
      const opened = sqliteStore({ folder: disk, maxEraseMs })
      for (const id of ['a', 'b']) await opened.putTranscript(owner, longTranscript(id))
      await opened.erase()
      expect(() => writeFileSync(join(disk, 'other'), Buffer.alloc(60_000_000, 'x'))).toThrow('ENOSPC')
      await expect(opened.putTranscript(owner, longTranscript('c'))).rejects.toMatchObject({
        code: 'DISK_FULL',
      })
      expect(opened.warnings()).toEqual([expect.stringContaining('DISK_FULL')])
      expect(await opened.deleteTranscript(owner, 'a')).toBe(true)
      expect((await opened.listTranscripts(owner, { limit: 9 })).transcripts).toMatchObject([{ id: 'b' }])
      rmSync(join(disk, 'other'))
      expect(await opened.erase()).toEqual([])
      expect(opened.warnings()).toEqual([])
      await opened.close()
    } finally {
      spawnSync('umount', ['-l', disk])
    }
  })
})
