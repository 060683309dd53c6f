// What goes wrong with the file, in words a reader can act on.
import { isDiskFull, isSpeechError, SpeechError } from '../../../domain/errors.ts'

/** True for SQLite's own verdict that the file is not what it wrote. */
export function isDamage(error: unknown): boolean {
  return /CORRUPT|NOTADB/.test(codeOf(error))
}

export function storeError(error: unknown): SpeechError {
  if (isSpeechError(error)) return error
  const code = codeOf(error)
  // A full disk is SQLITE_FULL only to a write of the file itself; quotas, and the file beside it, are I/O errors.
  if (isDiskFull(error) || code === 'SQLITE_IOERR_WRITE' || code === 'SQLITE_IOERR_SHMSIZE')
    return new SpeechError('DISK_FULL', 'The disk takes no more; it is most likely full.', {
      hint: 'Free some space, or set SPEECH_DATA_DIR to a folder on another disk.',
      cause: error,
    })
  if (isDamage(error)) return damaged(error)
  return new SpeechError(
    'STORE_FAILED',
    `The store of transcripts could not be used${code && ` (${code})`}.`,
    {
      hint: 'Check that the data folder can be written; `speech-mcp doctor` names it.',
      cause: error,
    },
  )
}

/** Of one place in a file that is otherwise in order. */
export function damaged(cause: unknown): SpeechError {
  return new SpeechError('STORE_DAMAGED', 'A part of the file of transcripts (speech.db) is damaged.', {
    hint: `The rest can still be read. To begin a new file, ${moveAway}`,
    cause,
  })
}

/** Of a file that cannot be used and could not be moved. */
export function immovable(cause: unknown): SpeechError {
  return new SpeechError(
    'STORE_DAMAGED',
    'The file of transcripts (speech.db) is damaged and could not be set aside.',
    { hint: `To begin a new file, ${moveAway}`, cause },
  )
}

const moveAway =
  'move it and the speech.db-wal beside it out of the data folder, which keeps them for repair, and call again; `speech-mcp doctor` names the folder.'

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '')
}
