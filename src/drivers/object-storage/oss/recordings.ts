// Transfers original recordings through the bucket to workers on other machines.
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open as openFile, rm, stat } from 'node:fs/promises'
import type OSS from 'ali-oss'
import pLimit from 'p-limit'
import { isDiskFull, isSpeechError, SpeechError } from '../../../domain/errors.ts'
import type { RecordingStorage } from '../../../domain/ports.ts'
import type { InstallationId } from '../installation-id.ts'
import { uploadKey } from '../keys.ts'
import { type OssSession, transferTimeout } from './client.ts'
import { isGone } from './errors.ts'
import { type UploadOptions, uploadAudio } from './multipart-upload.ts'

export interface OssRecordingsOptions extends Pick<UploadOptions, 'openSession' | 'timeoutSeconds'> {
  installationId: InstallationId
}

type DownloadOptions = Parameters<RecordingStorage['download']>[2]

/** Bytes of a range request, and the most that a broken connection costs. */
const rangeBytes = 4_000_000
const maxRangesInFlight = 3

export function ossRecordings({
  openSession,
  timeoutSeconds,
  installationId,
}: OssRecordingsOptions): RecordingStorage {
  /** The first range reveals the total size; the others are downloaded in parallel. */
  async function downloadInto(
    session: OssSession,
    key: string,
    handle: FileHandle,
    { signal, onBytes }: DownloadOptions,
  ): Promise<void> {
    let done = 0

    async function downloadRange(from: number): Promise<{ etag: string | undefined; total: number }> {
      const range = `bytes=${from}-${from + rangeBytes - 1}`
      // Without this header, OSS sends the whole object for a range beyond its end.
      const headers = { Range: range, 'x-oss-range-behavior': 'standard' }
      const get = (client: OSS) => client.get(key, { headers, ...transferTimeout(timeoutSeconds) })
      const { content, res } = await session.request(get, signal)
      const { etag, 'content-range': contentRange } = res.headers as Record<string, string | undefined>
      const total = Number(contentRange?.split('/')[1] ?? content.length)
      if (content.length !== Math.min(rangeBytes, total - from)) throw lost()
      await handle.write(content, 0, content.length, from).catch(throwUnwritable)
      done += content.length
      onBytes?.(done, total)
      return { etag, total }
    }

    const first = await downloadRange(0)
    const ranges = Math.ceil(first.total / rangeBytes)
    const rest = Array.from({ length: Math.max(0, ranges - 1) }, (_, i) => (i + 1) * rangeBytes)
    await pLimit(maxRangesInFlight).map(rest, async from => {
      const { etag, total } = await downloadRange(from)
      if (etag !== first.etag || total !== first.total) throw lost()
    })
  }

  return {
    async upload(file, { owner, job }, { signal, onKey, onBytes }) {
      const recording = randomBytes(6).toString('hex')
      const installation = await installationId.getOrCreate()
      const key = uploadKey({ owner, job, installation, recording })
      const before = await stat(file).catch(throwUnreadable)
      await onKey?.(key)
      const options = { key, openSession, timeoutSeconds, mime: 'application/octet-stream' }
      await uploadAudio(readCounted(file, onBytes), options, signal)
      const after = await stat(file).catch(() => undefined)
      if (after?.size === before.size && after.mtimeMs === before.mtimeMs) return key
      const session = openSession()
      await session.request(client => client.delete(key), signal).finally(session.abort)
      throw new SpeechError('RECORDING_CHANGED', 'The file changed during its upload to the workers.', {
        hint: 'Call again when the recording is finished.',
      })
    },

    async download(key, file, options) {
      const session = openSession()
      try {
        const handle = await openFile(file, 'w', 0o600).catch(throwUnwritable)
        await downloadInto(session, key, handle, options).finally(() => handle.close())
      } catch (error) {
        await session.abort()
        await rm(file, { force: true })
        throw isSpeechError(error) && isGone(error) ? lost(error) : error
      } finally {
        await session.abort()
      }
    },
  }
}

async function* readCounted(file: string, onBytes?: (done: number) => void): AsyncGenerator<Buffer> {
  let done = 0
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 })) {
      yield chunk as Buffer
      done += (chunk as Buffer).length
      onBytes?.(done)
    }
  } catch (error) {
    throwUnreadable(error)
  }
}

function lost(cause?: unknown): SpeechError {
  return new SpeechError('RECORDING_LOST', 'The recording is no longer in the bucket.', {
    hint: 'Call again with the recording.',
    cause,
  })
}

function throwUnreadable(cause: unknown): never {
  if ((cause as NodeJS.ErrnoException | null)?.code === 'ENOENT')
    throw new SpeechError('FILE_NOT_FOUND', 'The file no longer exists.', {
      hint: 'Check the path and call again.',
      cause,
    })
  throw new SpeechError('FILE_UNREADABLE', 'The file could not be read.', {
    hint: 'Check its permissions and its disk.',
    cause,
  })
}

function throwUnwritable(cause: unknown): never {
  if (isDiskFull(cause))
    throw new SpeechError('DISK_FULL', 'The disk of the worker has no room for the recording.', {
      hint: 'Free some space there, or set its SPEECH_DATA_DIR to a folder with room.',
      cause,
    })
  throw new SpeechError('UPLOAD_FAILED', 'The data folder of the worker is not writable.', {
    hint: 'Correct its permissions, or set its SPEECH_DATA_DIR to another folder.',
    cause,
  })
}
