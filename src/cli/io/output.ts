// Writes a command's output to stdout, or atomically to a file.
import { realpath, stat, writeFile } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import { describeError, isDiskFull, SpeechError } from '../../domain/errors.ts'
import { asLine } from '../../domain/text.ts'
import type { Transcript } from '../../domain/transcript.ts'
import {
  checkFormat,
  type FormatName,
  formatNames,
  formatOfExtension,
  isFormatName,
  renderFormat,
} from '../../formats/index.ts'
import { isPresetName, type PresetName, presetNames } from '../../formats/subtitles/presets.ts'
import { replaceWhole, tryFolder } from '../../system/whole-file.ts'
import type { Invocation } from '../command.ts'
import { givenPath, isAddress } from './given-path.ts'
import { printLine } from './messages.ts'

export const outputFlags = {
  format: {
    short: 'f',
    help: `${formatNames.join(', ')}; default: by the file's extension, or txt`,
    values: formatNames,
  },
  output: {
    short: 'o',
    help: 'write to this file; several with -o a.srt -o b.docx; default: stdout',
    multiple: true,
  },
  preset: { help: `rules for subtitles: ${presetNames.join(', ')}`, values: presetNames },
} as const

export const outputSwitches = {
  check: { help: 'list the subtitles that break a rule of the preset, and why' },
}

export interface Output {
  format: FormatName
  /** Absolute path; undefined: stdout. */
  file: string | undefined
  /** The path as given. */
  shown?: string
  preset?: PresetName | undefined
  /** True to list the subtitles that break a rule. */
  check: boolean
}

type OutputInvocation = Pick<Invocation, 'flags' | 'lists' | 'switches'>

/**
 * The outputs in the order of their flags, or stdout. Throws `BAD_INPUT` before any cost arises; `advice` is added to the
 * hint if the format is wrong. With `anyExtension`, a file whose extension is no format is a text file.
 */
export function parseOutputs(
  { flags: { format, preset }, lists: { output: files = [] }, switches }: OutputInvocation,
  { advice, anyExtension }: { advice?: string; anyExtension?: boolean } = {},
): Output[] {
  if (format !== undefined && files.length > 1)
    throw new SpeechError('BAD_INPUT', 'One --format does not fit several output files.', {
      hint: 'Omit it: the extension of each file chooses its format.',
    })
  // `-` is stdout, as it is stdin where a text is read.
  const outputs = files.length > 0 ? files.map(file => (file === '-' ? undefined : file)) : [undefined]
  if (format === 'docx' && outputs.includes(undefined) && process.stdout.isTTY)
    throw new SpeechError('BAD_INPUT', 'A terminal cannot show a Word document.', {
      hint: 'Name a file with -o.',
    })
  const rules = parsePreset(preset)
  return outputs.map(file => ({
    ...(file === undefined ? { file } : { file: givenPath(file), shown: file }),
    format: parseFormat(format ?? formatOf(file, anyExtension), format && advice),
    preset: rules,
    check: switches.has('check'),
  }))
}

export function parsePreset(preset: string | undefined): PresetName | undefined {
  if (preset === undefined || isPresetName(preset)) return preset
  throw new SpeechError('BAD_INPUT', 'Unknown preset.', { hint: `Use one of ${presetNames.join(', ')}.` })
}

function formatOf(file = '', anyExtension = false): string {
  const extension = extname(file).slice(1).toLowerCase()
  const isMeant = !anyExtension && /^[a-z]\w*$/.test(extension)
  return formatOfExtension(extension) ?? (isMeant ? extension : 'txt')
}

/** Throws `BAD_INPUT` with the names that there are, and the advice. */
export function parseFormat(name: string, advice: string | undefined): FormatName {
  if (isFormatName(name)) return name
  const hints = [`Use one of ${formatNames.join(', ')}.`, ...(advice ? [advice] : [])]
  throw new SpeechError('BAD_INPUT', 'Unknown output format.', { hint: hints.join(' ') })
}

/**
 * Tries to write beside each output, before anything is paid for. Throws `BAD_INPUT`, also where an output is the
 * recording itself, and `DISK_FULL`.
 */
export async function tryOutputs(outputs: Output[], recording?: string): Promise<void> {
  const input = recording === undefined ? undefined : await fileOf(recording)
  for (const { file, shown } of outputs) {
    if (file === undefined) continue
    const found = await stat(file, { bigint: true }).catch(() => undefined)
    if (input && found?.ino === input.ino && found.dev === input.dev) throw ownRecording(shown)
    if (found && !found.isFile() && !found.isDirectory()) continue
    try {
      if (found?.isDirectory()) throw new Error('The output is a folder.')
      await tryFolder(dirname(await realpath(file).catch(() => file)))
    } catch (cause) {
      throw unwritable(shown, cause, {
        full: 'Free some space and run the command again.',
        refused:
          'Check that it is no folder, and that its own folder exists and is writable. Nothing was sent.',
      })
    }
  }
}

/** Undefined for an address, stdin, and a path that leads to no file. */
async function fileOf(recording: string) {
  if (recording === '-' || isAddress(recording)) return undefined
  const found = await stat(givenPath(recording), { bigint: true }).catch(() => undefined)
  return found?.isFile() ? found : undefined
}

function ownRecording(shown = ''): SpeechError {
  return new SpeechError('BAD_INPUT', `The output ${asLine(shown)} is the recording itself.`, {
    hint: 'Name another file with -o. Nothing was sent.',
  })
}

/** Writes the outputs. Resolves with false if a subtitle was to be checked and breaks a rule; stderr has the list. */
export async function writeTranscript(transcript: Transcript, outputs: Output[]): Promise<boolean> {
  const command = `speech-mcp export ${transcript.id}`
  let isWithinRules = true
  await forEachOutput(outputs, async ({ format, file, shown, preset, check }) => {
    await write(
      await renderFormat(transcript, format, { preset }),
      { file, shown },
      {
        full: `The transcript is saved: free some space, then run \`${command}\`.`,
        refused: `Check that its folder exists and is writable; \`${command} -o …\` writes it elsewhere.`,
      },
    )
    const broken = check ? await checkFormat(transcript, format, { preset }) : []
    // Outputs may have the same cues, or other ones.
    const name = outputs.length > 1 ? `${shown === undefined ? format : asLine(shown)}: ` : ''
    for (const problem of broken) printLine(`${name}${problem}`)
    isWithinRules &&= broken.length === 0
  })
  return isWithinRules
}

type Target = Pick<Output, 'file' | 'shown'>

/** Writes what is stored nowhere else. */
export async function writeContent(content: string | Uint8Array, outputs: Target[]): Promise<void> {
  await forEachOutput(outputs, output =>
    write(content, output, {
      full: 'Free some space and run the command again.',
      refused: 'Run the command again with another output file.',
    }),
  )
}

/** Goes on after an output that fails, and throws its error at the end; of several, stderr has the earlier ones. */
async function forEachOutput<T extends Target>(
  outputs: T[],
  write: (output: T) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = []
  for (const output of outputs) await write(output).catch(error => errors.push(error))
  for (const error of errors.slice(0, -1)) printLine(describeError(error))
  if (errors.length > 0) throw errors.at(-1)
}

async function write(
  text: string | Uint8Array,
  { file, shown }: Target,
  hints: Record<'full' | 'refused', string>,
): Promise<void> {
  try {
    await (file === undefined ? print(text) : replace(file, text))
  } catch (error) {
    throw unwritable(shown, error, hints)
  }
}

function unwritable(shown: string | undefined, cause: unknown, hints: Record<'full' | 'refused', string>) {
  const full = isDiskFull(cause)
  const name = shown === undefined ? '' : ` as ${asLine(shown)}`
  return new SpeechError(full ? 'DISK_FULL' : 'BAD_INPUT', `The output could not be written${name}.`, {
    hint: full ? hints.full : hints.refused,
    cause,
  })
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
  await replaceWhole(file, text)
}
