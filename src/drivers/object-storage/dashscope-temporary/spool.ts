// Buffers audio in a file of the job's folder, because the upload needs its length beforehand.
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isDiskFull, SpeechError } from '../../../domain/errors.ts'
import { abortableStream } from '../abortable-stream.ts'

export interface Spool {
  bytes: number
  /** Reads from the start with each call. */
  pieces(): AsyncIterable<Buffer>
}

/** Writes the stream to a file, passes it to `use`, and deletes it. */
export async function withSpool<T>(
  stream: AsyncIterable<Buffer>,
  scratch: () => Promise<string>,
  signal: AbortSignal,
  use: (spool: Spool) => Promise<T>,
): Promise<T> {
  const { remove, ...spool } = await createSpool(stream, scratch, signal)
  return use(spool).finally(remove)
}

/**
 * Writes the stream to a file. Twelve hours of speech take 172 MB of disk and no memory. A sweep of the job's folder deletes
 * the file after a crash.
 */
export async function createSpool(
  stream: AsyncIterable<Buffer>,
  scratch: () => Promise<string>,
  signal: AbortSignal,
): Promise<Spool & { remove(): Promise<void> }> {
  signal.throwIfAborted()
  const folder = await mkdtemp(join(await scratch(), 'upload-')).catch(throwUnwritable)
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const file = join(folder, 'audio.mp3')
    const bytes = await write(stream, file, signal)
    return { bytes, pieces: () => createReadStream(file), remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function write(stream: AsyncIterable<Buffer>, file: string, signal: AbortSignal): Promise<number> {
  const handle = await open(file, 'wx', 0o600).catch(throwUnwritable)
  let bytes = 0
  try {
    for await (const chunk of abortableStream(stream, signal)) {
      await handle.writeFile(chunk).catch(throwUnwritable)
      bytes += chunk.length
    }
  } finally {
    await handle.close()
  }
  return bytes
}

function throwUnwritable(cause: unknown): never {
  if (isDiskFull(cause))
    throw new SpeechError('DISK_FULL', 'The disk of the data folder has no room for the recording.', {
      hint: 'Free some space, set SPEECH_DATA_DIR to a folder with room, or set OSS_BUCKET: uploads to a bucket need no disk space.',
      cause,
    })
  throw new SpeechError('UPLOAD_FAILED', 'The data folder is not writable.', {
    hint: 'Correct its permissions, set SPEECH_DATA_DIR to another folder, or set OSS_BUCKET.',
    cause,
  })
}
