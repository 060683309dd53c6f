// Audio that must be whole before it can be sent: it waits in a file of the job's folder, which is swept if the process dies.
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isDiskFull, SpeechError } from '../../../domain/errors.ts'
import { untilAborted } from '../abortable.ts'

export interface Spool {
  bytes: number
  /** From the start, each time. */
  pieces(): AsyncIterable<Buffer>
}

/** Collects the stream, and hands it to `use`; half a day of speech is 172 MB on the disk, and nothing in memory. */
export async function withSpool<T>(
  stream: AsyncIterable<Buffer>,
  scratch: () => Promise<string>,
  signal: AbortSignal,
  use: (spool: Spool) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const folder = await mkdtemp(join(await scratch(), 'upload-')).catch(unwritable)
  try {
    const file = join(folder, 'audio.mp3')
    const bytes = await write(stream, file, signal)
    return await use({ bytes, pieces: () => createReadStream(file) })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function write(stream: AsyncIterable<Buffer>, file: string, signal: AbortSignal): Promise<number> {
  const handle = await open(file, 'wx', 0o600).catch(unwritable)
  let bytes = 0
  try {
    for await (const piece of untilAborted(stream, signal)) {
      await handle.writeFile(piece).catch(unwritable)
      bytes += piece.length
    }
  } finally {
    await handle.close()
  }
  return bytes
}

function unwritable(cause: unknown): never {
  if (isDiskFull(cause))
    throw new SpeechError('DISK_FULL', 'There is no room for the recording in the data folder.', {
      hint: 'Free some space, set SPEECH_DATA_DIR to a folder with room, or set OSS_BUCKET: a bucket takes the recording as it comes.',
      cause,
    })
  throw new SpeechError('UPLOAD_FAILED', 'The data folder cannot be written.', {
    hint: 'Correct its permissions, set SPEECH_DATA_DIR to another one, or set OSS_BUCKET.',
    cause,
  })
}
