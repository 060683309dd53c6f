// Translates failures of SQLite and of the disk into errors with a hint.
import { accessSync, constants, statfsSync } from 'node:fs'
import { isDiskFull, isSpeechError, SpeechError } from '../../../domain/errors.ts'

/** A transcript of hours, with its log. */
const minFreeBytes = 1_000_000

/** True if SQLite reports that the file is corrupt. */
export function isDamage(error: unknown): boolean {
  return /CORRUPT|NOTADB/.test(codeOf(error))
}

export function storeError(error: unknown): SpeechError {
  if (isSpeechError(error)) return error
  const code = codeOf(error)
  // A full disk is SQLITE_FULL only for the file itself. Quotas, and the files beside it, cause I/O errors.
  if (isDiskFull(error) || code === 'SQLITE_IOERR_WRITE' || code === 'SQLITE_IOERR_SHMSIZE')
    return full(error)
  if (isDamage(error)) return damaged(error)
  return new SpeechError('STORE_FAILED', `The transcript database failed${code && ` (${code})`}.`, {
    hint: 'Check that the data folder is writable; `speech-mcp doctor` prints its path.',
    // Another process was writing for long.
    retryable: /BUSY|LOCKED/.test(code),
    cause: error,
  })
}

function full(cause: unknown): SpeechError {
  return new SpeechError('DISK_FULL', 'The disk of the data folder is full or refuses writes.', {
    hint: 'Free some space, or set SPEECH_DATA_DIR to a folder on another disk.',
    cause,
  })
}

/** Why a file on disk would take nothing, without a write. */
export function obstacleAt(path: string): SpeechError | undefined {
  try {
    accessSync(path, constants.W_OK)
    const { bavail, bsize, blocks } = statfsSync(path)
    // Some network disks do not say how large they are.
    return blocks > 0 && bavail * bsize < minFreeBytes ? full(undefined) : undefined
  } catch (error) {
    return storeError(error)
  }
}

/** For a damaged row or page of a file that is otherwise readable. */
export function damaged(cause: unknown): SpeechError {
  return new SpeechError('STORE_DAMAGED', 'A part of the transcript database (speech.db) is damaged.', {
    hint: `The rest is still readable. To start a new file, ${moveAway}`,
    cause,
  })
}

/** For a damaged file that could not be moved. */
export function cannotSetAside(cause: unknown): SpeechError {
  return new SpeechError(
    'STORE_DAMAGED',
    'The transcript database (speech.db) is damaged and could not be set aside.',
    { hint: `To start a new file, ${moveAway}`, cause },
  )
}

const moveAway =
  'move it and speech.db-wal out of the data folder, keep them for repair, and call again; `speech-mcp doctor` prints the folder.'

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '')
}
