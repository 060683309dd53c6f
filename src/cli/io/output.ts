// Writes a command's output to stdout, or atomically to a file.
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { isDiskFull, SpeechError } from '../../domain/errors.ts'
import type { Transcript } from '../../domain/transcript.ts'
import {
  type FormatName,
  formatNames,
  formatOfExtension,
  isFormatName,
  renderFormat,
} from '../../formats/index.ts'

export const outputFlags = {
  format: { short: 'f', help: `${formatNames.join(', ')}; default: by the file's extension, or txt` },
  output: { short: 'o', help: 'write to this file' },
}

/**
 * The output format: that of the flag or of the file's extension. Throws `BAD_INPUT` before any cost arises;
 * `advice` is added to the hint if the flag is wrong.
 */
export function parseFormat(
  { format, output }: Record<string, string | undefined>,
  advice?: string,
): FormatName {
  const extension = extname(output ?? '')
    .slice(1)
    .toLowerCase()
  const ofFile = /^[a-z]\w*$/.test(extension) ? (formatOfExtension(extension) ?? extension) : 'txt'
  const name = format ?? ofFile
  if (isFormatName(name)) return name
  const hints = [`Use one of ${formatNames.join(', ')}.`, ...(advice && format !== undefined ? [advice] : [])]
  throw new SpeechError('BAD_INPUT', 'Unknown output format.', { hint: hints.join(' ') })
}

export async function writeTranscript(
  transcript: Transcript,
  format: FormatName,
  file: string | undefined,
): Promise<void> {
  const command = `speech-mcp export ${transcript.id}`
  await write(await renderFormat(transcript, format), file, {
    full: `The transcript is saved: free some space, then run \`${command}\`.`,
    refused: `Check that its folder exists and is writable; \`${command} -o …\` writes it elsewhere.`,
  })
}

/** Writes a text that is stored nowhere else. */
export async function writeText(text: string, file: string | undefined): Promise<void> {
  await write(text, file, {
    full: 'Free some space and run the command again.',
    refused: 'Run the command again with another output file.',
  })
}

async function write(
  text: string | Uint8Array,
  file: string | undefined,
  hints: Record<'full' | 'refused', string>,
): Promise<void> {
  try {
    await (file === undefined ? print(text) : replace(file, text))
  } catch (error) {
    const full = isDiskFull(error)
    throw new SpeechError(full ? 'DISK_FULL' : 'BAD_INPUT', 'The output could not be written.', {
      hint: full ? hints.full : hints.refused,
      cause: error,
    })
  }
}

/** A reader that closes the pipe early (`| head`) is not an error. */
function print(text: string | Uint8Array): Promise<void> {
  return new Promise((done, fail) =>
    process.stdout.write(text, error =>
      error && (error as NodeJS.ErrnoException).code !== 'EPIPE' ? fail(error) : done(),
    ),
  )
}

/** Replaces a file atomically. A link is followed; a device or pipe is written directly. */
async function replace(given: string, text: string | Uint8Array): Promise<void> {
  const file = await realpath(given).catch(() => given)
  const found = await stat(file).catch(() => undefined)
  if (found && !found.isFile()) return writeFile(file, text)
  const draft = `${file}.${process.pid}.part`
  try {
    await writeFile(draft, text)
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw error
  }
}
