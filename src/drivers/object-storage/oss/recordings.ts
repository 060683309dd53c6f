// Recordings as they are, on their way through the bucket to workers on other machines.
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open as openFile, rm, stat } from 'node:fs/promises'
import type OSS from 'ali-oss'
import { isDiskFull, isSpeechError, SpeechError } from '../../../domain/errors.ts'
import type { RecordingStorage } from '../../../domain/ports.ts'
import type { InstallationId } from '../installation-id.ts'
import { uploadKey } from '../keys.ts'
import { type Line, transferTime } from './client.ts'
import { isGone } from './errors.ts'
import { type UploadPlace, uploadAudio } from './multipart-upload.ts'

export interface RecordingsPlace extends Pick<UploadPlace, 'open' | 'patience'> {
  installation: InstallationId
}

/** Bytes that one request fetches: what a broken connection costs at most. */
const pieceSize = 4_000_000
const piecesAtOnce = 3

export function ossRecordings({ open, patience, installation }: RecordingsPlace): RecordingStorage {
  /** The first piece tells how many there are; the others come a few at once, each asked for until it is here. */
  async function fetchInto(line: Line, key: string, handle: FileHandle, options: Fetching): Promise<void> {
    const { signal, onBytes } = options
    let done = 0

    async function fetchPiece(from: number): Promise<{ etag: string | undefined; total: number }> {
      const range = `bytes=${from}-${from + pieceSize - 1}`
      // Without it OSS gives all where a piece goes beyond the end.
      const headers = { Range: range, 'x-oss-range-behavior': 'standard' }
      const get = (client: OSS) => client.get(key, { headers, ...transferTime(patience) })
      const { content, res } = await line.ask(get, signal)
      const { etag, 'content-range': found } = res.headers as Record<string, string | undefined>
      const total = Number(found?.split('/')[1] ?? content.length)
      if (content.length !== Math.min(pieceSize, total - from)) throw lost()
      await handle.write(content, 0, content.length, from).catch(unwritable)
      done += content.length
      onBytes?.(done, total)
      return { etag, total }
    }

    const first = await fetchPiece(0)
    let next = pieceSize
    async function work(): Promise<void> {
      while (next < first.total) {
        const from = next
        next += pieceSize
        const { etag, total } = await fetchPiece(from)
        if (etag !== first.etag || total !== first.total) throw lost()
      }
    }
    await Promise.all(Array.from({ length: piecesAtOnce }, work))
  }

  return {
    async upload(file, { owner, job }, { signal, onKey, onBytes }) {
      const mark = randomBytes(6).toString('hex')
      const key = uploadKey({ owner, job, installation: await installation.getOrCreate(), recording: mark })
      const before = await stat(file).catch(unreadable)
      await onKey?.(key)
      await uploadAudio(
        counted(file, onBytes),
        { key, open, patience, mime: 'application/octet-stream' },
        signal,
      )
      const after = await stat(file).catch(() => undefined)
      if (after?.size === before.size && after.mtimeMs === before.mtimeMs) return key
      const line = open()
      await line.ask(client => client.delete(key), signal).finally(line.cut)
      throw new SpeechError('RECORDING_CHANGED', 'The file was changed while it was sent to the workers.', {
        hint: 'Call again when the recording is finished.',
      })
    },

    async download(key, file, options) {
      const line = open()
      try {
        const handle = await openFile(file, 'w', 0o600).catch(unwritable)
        await fetchInto(line, key, handle, options).finally(() => handle.close())
      } catch (error) {
        await line.cut()
        await rm(file, { force: true })
        throw isSpeechError(error) && isGone(error) ? lost(error) : error
      } finally {
        await line.cut()
      }
    },
  }
}

type Fetching = Parameters<RecordingStorage['download']>[2]

async function* counted(file: string, onBytes?: (done: number) => void): AsyncGenerator<Buffer> {
  let done = 0
  try {
    for await (const piece of createReadStream(file, { highWaterMark: 1 << 18 })) {
      yield piece as Buffer
      done += (piece as Buffer).length
      onBytes?.(done)
    }
  } catch (error) {
    unreadable(error)
  }
}

function lost(cause?: unknown): SpeechError {
  return new SpeechError('RECORDING_LOST', 'The recording no longer lies in the bucket.', {
    hint: 'Call again with the recording to have it heard.',
    cause,
  })
}

function unreadable(cause: unknown): never {
  const isMissing = (cause as NodeJS.ErrnoException | null)?.code === 'ENOENT'
  if (isMissing)
    throw new SpeechError('FILE_NOT_FOUND', 'The file is no longer there.', {
      hint: 'Check the path and call again.',
      cause,
    })
  throw new SpeechError('FILE_UNREADABLE', 'The file could not be read.', {
    hint: 'Check its permissions and its disk.',
    cause,
  })
}

function unwritable(cause: unknown): never {
  if (isDiskFull(cause))
    throw new SpeechError(
      'DISK_FULL',
      'There is no room for the recording in the data folder of the worker.',
      {
        hint: 'Free some space there, or set its SPEECH_DATA_DIR to a folder with room.',
        cause,
      },
    )
  throw new SpeechError('UPLOAD_FAILED', 'The data folder of the worker cannot be written.', {
    hint: 'Correct its permissions, or set its SPEECH_DATA_DIR to another one.',
    cause,
  })
}
