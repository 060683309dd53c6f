// Shared code of `transcribe` and `diarize`: submits a recording, shows progress, and writes the transcript.
import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { SpeechError } from '../domain/errors.ts'
import { type JobTool, localOwner, type TranscriptionRequest } from '../domain/job.ts'
import { isUnsavedWarning, type Transcript } from '../domain/transcript.ts'
import { unknownSpeakerNote } from '../formats/speakers.ts'
import { withCachedFormatting } from '../server/results/cost.ts'
import type { Invocation } from './command.ts'
import { runInteractive } from './io/interactive.ts'
import { isUnformatted, printFormatting, printLine, printNote } from './io/messages.ts'
import { outputFlags, outputSwitches, parseOutputs, writeTranscript } from './io/output.ts'

export const recordingFlags = {
  ...outputFlags,
  language: { short: 'l', help: 'ISO code or English name; default: detected' },
  context: { short: 'c', help: 'names and terms to expect, as a list or as prose' },
  track: { help: 'audio track: number, language or all; default: those with sound of their own' },
  title: { short: 't', help: 'title of the transcript' },
}

/** Not called `--format`, because that flag names the output format. */
export const recordingSwitches = {
  ...outputSwitches,
  readable: { help: 'also add punctuation, capitals and paragraphs without changing a word' },
}

export interface RecordingCommand {
  /** The command's name, for its hints. */
  command: string
  tool: JobTool
  /** Options of the request that the other command lacks. */
  options: Partial<TranscriptionRequest>
}

/** Resolves with the exit code: 3 if something is missing, 130 if cancelled. */
export async function transcribeRecording(
  invocation: Invocation,
  { command, tool, options }: RecordingCommand,
): Promise<number> {
  const { config, words, flags, switches } = invocation
  const [input, ...more] = words
  if (!input || more.length > 0)
    throw new SpeechError('BAD_INPUT', 'Exactly one recording is required.', {
      hint: `Run \`speech-mcp ${command} FILE\`.`,
    })
  const outputs = parseOutputs(invocation, { advice: 'To format the text, use --readable.' })
  const { language, context, track, title } = flags
  const request = {
    ...options,
    ...(language && { language }),
    ...(context && { context }),
    ...(track && { track }),
    ...(title && { title }),
    ...(switches.has('readable') && { format: 'faithful' as const }),
  }
  const { audio, allowedDirs } = await resolveInput(input, config)
  return runInteractive({ ...config, allowedDirs }, async ({ app, signal, bar }) => {
    // The text is printed, stored or not.
    const caller = { owner: localOwner, tool, signal, allowUnsaved: true }
    const { transcript, formatting } = await app.jobs.transcribe({ audio, ...request }, caller, {
      onProgress: bar.show,
    })
    bar.clear()
    const isWithinRules = await writeTranscript(transcript, outputs)
    printSummary(formatting === 'cached' ? withCachedFormatting(transcript) : transcript)
    const style = transcript.formatted?.style ?? request.format
    const lacksFormat =
      request.format !== undefined && style !== undefined && isUnformatted(transcript, style)
    return transcript.status === 'partial' || lacksFormat || !isWithinRules ? 3 : 0
  })
}

/** Prints warnings, gaps, formatting and the id to stderr. */
function printSummary(transcript: Transcript): void {
  for (const warning of [...unknownSpeakerNote(transcript), ...transcript.warnings]) printNote(warning)
  for (const { start, end, reason } of transcript.coverage.gaps)
    printLine(`No text from ${start} s to ${end} s: ${reason}`)
  if (transcript.formatted) printFormatting(transcript.formatted)
  if (!transcript.warnings.some(isUnsavedWarning)) printLine(`Saved as ${transcript.id}.`)
}

/** Makes a path absolute, and allows its folder unless the user configured the allowed folders. */
async function resolveInput(
  input: string,
  config: Config,
): Promise<{ audio: string; allowedDirs: string[] }> {
  const isPath = existsSync(input) || !/^[a-z][a-z0-9+.-]+:/i.test(input) || /^[a-z]:[\\/]/i.test(input)
  const audio = isPath ? resolve(input) : input
  const own = isPath && !config.allowedDirsGiven
  return { audio, allowedDirs: own ? await foldersOf(audio) : config.allowedDirs }
}

/** A file named on the command line may be read: allows its folder and, for a link, that of its target. */
async function foldersOf(file: string): Promise<string[]> {
  const real = await realpath(file).catch(() => file)
  return [...new Set([dirname(file), dirname(real)])]
}
