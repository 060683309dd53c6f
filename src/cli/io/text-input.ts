// Reads a command's text input: a file or stdin, in UTF-8.
import { createReadStream } from 'node:fs'
import { addAbortSignal } from 'node:stream'
import { type ErrorCode, SpeechError } from '../../domain/errors.ts'

/** In UTF-16 code units: about twenty hours of speech. */
const maxChars = 1_000_000
/** UTF-8 needs at most three bytes per UTF-16 code unit, plus three for a byte order mark. */
const maxBytes = 3 * maxChars + 3

/** Reads a file, or stdin for `-`. Throws `SpeechError` if the input is no text, or the signal's reason. */
export async function readText(input: string, signal: AbortSignal): Promise<string> {
  const bytes = await readBytes(input, signal)
  const text = decode(bytes).replaceAll('\r\n', '\n')
  if (text.trim() === '')
    throw inputError(
      'EMPTY_FILE',
      'The input contains no text.',
      'Check the file or the command before the pipe.',
    )
  if (text.length > maxChars) throw tooLong()
  if (/^\s*(?:WEBVTT\b|\d+\n\d+:\d\d:\d\d[,.]\d{3} -->)/.test(text))
    throw inputError(
      'BAD_INPUT',
      'The input is a subtitle file: its times would be treated as words.',
      'Pass the id of the transcript (`speech-mcp format tr_… -f srt` keeps the times), or the text without times.',
    )
  return text
}

async function readBytes(input: string, signal: AbortSignal): Promise<Buffer> {
  const stream = addAbortSignal(signal, input === '-' ? process.stdin : createReadStream(input))
  const pieces: Buffer[] = []
  let size = 0
  try {
    for await (const piece of stream) {
      pieces.push(piece)
      size += piece.length
      if (size > maxBytes) break
    }
  } catch (error) {
    signal.throwIfAborted()
    throw unreadable(error)
  }
  if (size > maxBytes) throw tooLong()
  return Buffer.concat(pieces)
}

/** Decodes UTF-8 and drops a byte order mark. */
function decode(bytes: Buffer): string {
  const hint = 'Save it as UTF-8 and run the command again.'
  if (/^(?:fffe|feff)/.test(bytes.toString('hex', 0, 2)))
    throw inputError('BAD_INPUT', 'The text is encoded in UTF-16.', hint)
  if (bytes.subarray(0, 8_192).includes(0))
    throw inputError(
      'BAD_INPUT',
      'The input is not a text.',
      'Pass a text file in UTF-8; for recordings use `speech-mcp transcribe`.',
    )
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw inputError('BAD_INPUT', 'The input is not UTF-8 text.', hint)
  }
}

const acceptedInputs = 'Pass a text file, the id of a transcript (tr_…), or - for stdin.'

function unreadable(cause: unknown): SpeechError {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return inputError('FILE_NOT_FOUND', 'No file exists at this path.', acceptedInputs, cause)
  if (code === 'ENAMETOOLONG') return inputError('BAD_INPUT', 'The path is too long.', acceptedInputs, cause)
  if (code === 'EISDIR')
    return inputError('NOT_A_FILE', 'The path is a folder.', 'Pass one text file in it.', cause)
  return inputError(
    'FILE_UNREADABLE',
    'The file could not be read.',
    'Check its permissions and disk.',
    cause,
  )
}

function tooLong(): SpeechError {
  const max = maxChars.toLocaleString('en')
  return inputError('BAD_INPUT', `The text has more than ${max} characters.`, 'Split it into several files.')
}

function inputError(code: ErrorCode, message: string, hint: string, cause?: unknown): SpeechError {
  return new SpeechError(code, message, { hint, cause })
}
