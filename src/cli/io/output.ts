// Where a command's text goes: to stdout, or whole into a file that takes the place of an older one.
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { isDiskFull, SpeechError } from '../../domain/errors.ts'
import type { Transcript } from '../../domain/transcript.ts'
import { type FormatName, formatNames, isFormatName, outputFormats } from '../../formats/index.ts'

export const outputFlags = {
  format: { short: 'f', help: `${formatNames.join(', ')}; otherwise by the file's name, or txt` },
  output: { short: 'o', help: 'write to this file' },
}

/** The format that was named, or the one the file's name tells; known before anything is paid for. `more` is said where there is none. */
export function chosenFormat(
  { format, output }: Record<string, string | undefined>,
  more?: string,
): FormatName {
  const byName = extname(output ?? '')
    .slice(1)
    .toLowerCase()
  const name = format ?? (/^[a-z]\w*$/.test(byName) ? byName : 'txt')
  if (isFormatName(name)) return name
  throw new SpeechError('BAD_INPUT', 'There is no such format.', {
    hint: [`Use one of ${formatNames.join(', ')}.`, ...(more && format !== undefined ? [more] : [])].join(
      ' ',
    ),
  })
}

export async function writeTranscript(
  transcript: Transcript,
  format: FormatName,
  file: string | undefined,
): Promise<void> {
  const again = `\`speech-mcp export ${transcript.id}`
  await write(outputFormats[format].render(transcript), file, {
    full: `The transcript is kept: ${again}\` writes it once there is room.`,
    refused: `Check that its folder exists and may be written; ${again} -o …\` writes it elsewhere.`,
  })
}

/** A text that is kept nowhere else. */
export async function writeText(text: string, file: string | undefined): Promise<void> {
  await write(text, file, {
    full: 'Free some space, and give the text again.',
    refused: 'Name another file, and give the text again.',
  })
}

async function write(
  text: string,
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

/** A reader that has seen enough and goes (`| head`) is no failure. */
function print(text: string): Promise<void> {
  return new Promise((done, fail) =>
    process.stdout.write(text, error =>
      error && (error as NodeJS.ErrnoException).code !== 'EPIPE' ? fail(error) : done(),
    ),
  )
}

/** A link keeps pointing to its file, and a device or pipe is written to as it is. */
async function replace(given: string, text: string): Promise<void> {
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
