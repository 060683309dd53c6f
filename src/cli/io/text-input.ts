// The text that a command is given: a file or stdin, in UTF-8.
import { createReadStream } from 'node:fs'
import { addAbortSignal } from 'node:stream'
import { type ErrorCode, SpeechError } from '../../domain/errors.ts'

/** In UTF-16 units: twenty hours of speech. */
const longest = 1_000_000
/** No text of that length takes more bytes. */
const mostBytes = 3 * longest + 3

/** `-` is stdin. Throws `SpeechError` for what is no text, or the signal's reason. */
export async function readText(input: string, signal: AbortSignal): Promise<string> {
  const bytes = await readBytes(input, signal)
  const text = decoded(bytes).replaceAll('\r\n', '\n')
  if (text.trim() === '')
    throw wrong('EMPTY_FILE', 'There is no text in it.', 'Check what was saved or sent.')
  if (text.length > longest) throw tooLong()
  if (/^\s*(?:WEBVTT\b|\d+\n\d+:\d\d:\d\d[,.]\d{3} -->)/.test(text))
    throw wrong(
      'BAD_INPUT',
      'These are subtitles: their times would be taken for words.',
      'Give the id of the transcript (`speech-mcp format tr_… -f srt` keeps the times), or the words without times.',
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
      if (size > mostBytes) break
    }
  } catch (error) {
    signal.throwIfAborted()
    throw unreadable(error)
  }
  if (size > mostBytes) throw tooLong()
  return Buffer.concat(pieces)
}

/** A mark at the beginning that says so is no part of the text. */
function decoded(bytes: Buffer): string {
  const save = 'Save it as UTF-8, and give it again.'
  if (/^(?:fffe|feff)/.test(bytes.toString('hex', 0, 2)))
    throw wrong('BAD_INPUT', 'The text is in UTF-16.', save)
  if (bytes.subarray(0, 8_192).includes(0))
    throw wrong(
      'BAD_INPUT',
      'This is no text.',
      'Give a text file in UTF-8; `speech-mcp transcribe` takes recordings.',
    )
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw wrong('BAD_INPUT', 'The text is not in UTF-8, or it is no text.', save)
  }
}

const ways = 'Give a text file, the id of a transcript (tr_…), or - for what comes in on stdin.'

function unreadable(cause: unknown): SpeechError {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return wrong('FILE_NOT_FOUND', 'There is no file at this path.', ways, cause)
  if (code === 'ENAMETOOLONG') return wrong('BAD_INPUT', 'No path is as long as this.', ways, cause)
  if (code === 'EISDIR')
    return wrong('NOT_A_FILE', 'The path is a folder.', 'Name one text file in it.', cause)
  return wrong('FILE_UNREADABLE', 'The text could not be read.', 'Check its permissions and its disk.', cause)
}

function tooLong(): SpeechError {
  const most = longest.toLocaleString('en')
  return wrong('BAD_INPUT', `The text has more than ${most} characters.`, 'Part it, and give the parts.')
}

function wrong(code: ErrorCode, message: string, hint: string, cause?: unknown): SpeechError {
  return new SpeechError(code, message, { hint, cause })
}
