// Uploads in the data folder: of each a file with its record, and one with its bytes.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, readFile, rm, stat, statfs, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDiskFull, SpeechError } from '../../domain/errors.ts'
import type { UploadRecord, UploadStore } from '../../domain/network/uploads.ts'
import { privateFolder } from '../../system/private-files.ts'
import { replaceWhole } from '../../system/whole-file.ts'

/** Larger reads mean fewer turns of the event loop. */
const readBytes = 1 << 20

export function uploadFiles(folder: string): UploadStore {
  let isOpen = false
  const recordOf = (id: string) => join(folder, `${id}.json`)
  const fileOf = ({ id }: Pick<UploadRecord, 'id'>) => join(folder, `${id}.part`)

  async function get(id: string): Promise<UploadRecord | undefined> {
    const text = await readFile(recordOf(id), 'utf8').catch(unlessMissing)
    return text === undefined ? undefined : parseRecord(text)
  }

  return {
    isShared: false,
    async save(record) {
      if (!isOpen) privateFolder(folder)
      isOpen = true
      await explained(replaceWhole(recordOf(record.id), JSON.stringify(record)))
    },
    get,
    async list() {
      const names = (await readdir(folder).catch(unlessMissing)) ?? []
      const ids = names.flatMap(name => /^([\w-]+)\.json$/.exec(name)?.[1] ?? [])
      const found = await Promise.all(ids.map(get))
      return found.flatMap(record => record ?? [])
    },
    async freeBytes() {
      const disk = await statfs(folder).catch(() => undefined)
      return disk && disk.bavail * disk.bsize
    },
    async remove(record) {
      await rm(fileOf(record), { force: true })
      await rm(recordOf(record.id), { force: true })
    },
    async clear(record) {
      await explained(writeFile(fileOf(record), '', { mode: 0o600 }))
    },
    async received(record) {
      const info = await stat(fileOf(record)).catch(unlessMissing)
      return info?.size ?? 0
    },
    async append(record, from, bytes) {
      const file = await open(fileOf(record), 'r+')
      let at = from
      try {
        for await (const piece of bytes) {
          const { bytesWritten } = await file.write(piece, 0, piece.length, at)
          at += bytesWritten
          if (bytesWritten < piece.length) await file.write(piece, bytesWritten, null, at)
        }
      } catch (error) {
        throw diskError(error)
      } finally {
        await file.close()
      }
    },
    async seal(record) {
      const file = fileOf(record)
      if ((await stat(file)).size > record.bytes!) await truncate(file, record.bytes)
      const hash = createHash('sha256')
      for await (const piece of createReadStream(file, { highWaterMark: readBytes })) hash.update(piece)
      return hash.digest('hex')
    },
    async open(record) {
      return fileOf(record)
    },
  }
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

/** Undefined for a file that another program has damaged. */
function parseRecord(text: string): UploadRecord | undefined {
  try {
    const record = JSON.parse(text) as UploadRecord
    return typeof record?.id === 'string' && typeof record.owner === 'string' ? record : undefined
  } catch {
    return undefined
  }
}

async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw diskError(error)
  }
}

function diskError(cause: unknown): unknown {
  if (!isDiskFull(cause)) return cause
  return new SpeechError('DISK_FULL', 'The disk of the server is too full for the recording.', {
    hint: 'Free some space there, and continue the upload.',
    retryable: true,
    cause,
  })
}
