// Audio that must be whole before it can be sent: it waits in a file of its own, which never outlives the upload.
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDiskFull, SpeechError } from '../../domain/errors.ts'
import { untilAborted } from './waiting.ts'

export interface Spool {
  bytes: number
  /** From the start, each time. */
  pieces(): AsyncIterable<Buffer>
}

/** Collects the stream, and hands it to `use`; half a day of speech is 172 MB on the disk, and nothing in memory. */
export async function withSpool<T>(
  stream: AsyncIterable<Buffer>,
  signal: AbortSignal,
  use: (spool: Spool) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-upload-')).catch(unwritable)
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
    throw new SpeechError(
      'DISK_FULL',
      'There is no room for the recording in the folder for temporary files.',
      {
        hint: 'Free some space, or set OSS_BUCKET: a bucket takes the recording as it comes.',
        cause,
      },
    )
  throw new SpeechError('UPLOAD_FAILED', 'The folder for temporary files cannot be written.', {
    hint: 'Correct its permissions, set TMPDIR to another one, or set OSS_BUCKET.',
    cause,
  })
}
