// Uploads in the data folder: of each a file with its record, and one with its bytes.
import { createHash } from 'node:crypto'
import { open, readdir, readFile, rm, stat, statfs, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDiskFull, SpeechError } from '../../domain/errors.ts'
import type { UploadRecord, UploadStore } from '../../domain/network/uploads.ts'
import { privateFolder } from '../../system/private-files.ts'
import { freeYoungBuffers } from '../../system/small-heap.ts'
import { replacePrivate } from '../../system/whole-file.ts'

/** Larger reads mean fewer turns of the event loop. */
const readBytes = 1 << 18
/** Bytes between two looks for buffers that are free. */
const collectBytes = 4 << 20

export function uploadFiles(folder: string): UploadStore {
  let isOpen = false
  const recordOf = (id: string) => join(folder, `${id}.json`)
  const fileOf = ({ id }: Pick<UploadRecord, 'id'>) => join(folder, `${id}.part`)

  async function get(id: string): Promise<UploadRecord | undefined> {
    const text = await readFile(recordOf(id), 'utf8').catch(unlessMissing)
    return text === undefined ? undefined : parseRecord(text)
  }

  return {
    isHere: true,
    async save(record) {
      if (!isOpen) privateFolder(folder)
      isOpen = true
      await explained(replacePrivate(recordOf(record.id), JSON.stringify(record), async () => true))
    },
    get,
    async list(owner) {
      const names = (await readdir(folder).catch(unlessMissing)) ?? []
      const ids = names.flatMap(name => /^([\w-]+)\.json$/.exec(name)?.[1] ?? [])
      const found = await Promise.all(ids.map(get))
      return found.flatMap(record => record ?? []).filter(record => record.owner === (owner ?? record.owner))
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
      let collectedAt = from
      try {
        for await (const piece of bytes) {
          // A disk that fills up may take a part of it, and refuse the rest.
          for (let done = 0; done < piece.length; ) {
            const { bytesWritten } = await file.write(piece, done, piece.length - done, at)
            done += bytesWritten
            at += bytesWritten
          }
          if (at - collectedAt < collectBytes) continue
          collectedAt = at
          freeYoungBuffers()
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
      return hashOf(file)
    },
    async open(record) {
      return fileOf(record)
    },
    async close() {},
  }
}

/** With one buffer for the whole file. */
async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafeSlow(readBytes)
  const file = await open(path)
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, readBytes)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(buffer.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
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
