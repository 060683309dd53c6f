// Shared code of `transcribe` and `diarize`: submits a recording, shows progress, and writes the transcript.
import { realpath } from 'node:fs/promises'
import { dirname, parse } from 'node:path'
import type { Config } from '../config/config.ts'
import { formatUsd } from '../domain/costs/budget.ts'
import { isSpeechError, SpeechError } from '../domain/errors.ts'
import { formatTime } from '../domain/format-time.ts'
import { type Job, type JobTool, localOwner, type TranscriptionRequest } from '../domain/job.ts'
import { withoutQuotes } from '../domain/text.ts'
import { isUnsavedWarning, type Transcript } from '../domain/transcript.ts'
import { unknownSpeakerNote } from '../formats/speakers.ts'
import { withCachedFormatting, withCachedTranscription } from '../server/results/cost.ts'
import { namedInput } from '../server/results/failure.ts'
import { parseMaxCost } from './batch/agree.ts'
import { batchFlags, batchSwitches, transcribeBatch } from './batch/batch-command.ts'
import { isOneRecording, readInputs } from './batch/inputs.ts'
import { type LimitedRecording, withinLimit } from './batch/limited.ts'
import { withErrorEvents } from './batch/report.ts'
import type { Invocation } from './command.ts'
import { givenPath, isAddress } from './io/given-path.ts'
import { runInteractive } from './io/interactive.ts'
import { isUnformatted, printFormatting, printLine, printNote } from './io/messages.ts'
import {
  type Output,
  outputFlags,
  outputSwitches,
  parseOutputs,
  tryOutputs,
  writeTranscript,
} from './io/output.ts'
import { speakersOf } from './list.ts'

export const recordingFlags = {
  ...outputFlags,
  ...batchFlags,
  language: { short: 'l', help: 'ISO code or English name; default: detected' },
  context: { short: 'c', help: 'names and terms to expect, as a list or as prose; default: none' },
  track: { help: 'audio track: number, language or all; default: those with sound of their own' },
  title: { short: 't', help: 'title of the transcript; default: the name of the file' },
}

/** Not called `--format`, because that flag names the output format. */
export const recordingSwitches = {
  ...outputSwitches,
  ...batchSwitches,
  readable: { help: 'also add punctuation, capitals and paragraphs without changing a word' },
}

export const batchDetails = [
  'The text of one recording goes to stdout or to the files of -o. Several recordings, and those of a folder, are a batch: the price comes first, each text is written beside its recording or into --out, and a table is the end.',
  'After Ctrl-C, or when something has failed, the same command goes on: recordings are known by their content, and none is paid for twice. Files that this program did not write, or that somebody has changed since, stay as they are.',
].join('\n')

export interface RecordingCommand {
  /** The command's name, for its hints. */
  command: string
  tool: JobTool
  /** Options of the request that the other command lacks. */
  options: Partial<TranscriptionRequest>
}

/** Resolves with the exit code: 3 if something is missing, 130 if cancelled; of a batch 1 if one of them failed. */
export function transcribeRecording(invocation: Invocation, command: RecordingCommand): Promise<number> {
  return withErrorEvents(invocation.switches.has('json'), () => perform(invocation, command))
}

async function perform(
  invocation: Invocation,
  { command, tool, options }: RecordingCommand,
): Promise<number> {
  const { config, words, flags, switches } = invocation
  if (words.length === 0)
    throw new SpeechError('BAD_INPUT', 'A recording is required.', {
      hint: `Run \`speech-mcp ${command} FILE\`, with one or more files, folders or addresses.`,
    })
  const { language, context, track, title } = flags
  const request = {
    ...options,
    ...(language && { language }),
    ...(context && { context }),
    ...(track && { track }),
    ...(switches.has('readable') && { format: 'faithful' as const }),
  }
  if (!isOneRecording(words) || flags.out !== undefined || switches.has('json'))
    return transcribeBatch(invocation, { tool, options: request })
  const maxCostUsd = parseMaxCost(flags['max-cost'])
  const outputs = parseOutputs(invocation, { advice: 'To format the text, use --readable.' })
  await tryOutputs(outputs, words[0]!)
  const input = await resolveInput(words[0]!, config)
  if (!input) return 130
  const { audio, allowedDirs, close } = input
  const titled = { ...request, ...(title && { title }) }
  const work = { tool, request: { audio, ...titled }, maxCostUsd }
  return transcribeOne({ ...config, allowedDirs }, work, outputs)
    .catch(error => {
      throw withGiven(error, words[0]!)
    })
    .finally(close)
}

/** The same error, which repeats a path that it is about as it was given. */
function withGiven(error: unknown, given: string): unknown {
  if (!isSpeechError(error) || given === '-') return error
  const { code, message, retryable, scope } = error
  const hint = [error.hint, ...namedInput(error, { audio: given })].join(' ')
  return new SpeechError(code, message, { hint, retryable, scope, cause: error })
}

function transcribeOne(
  config: Config,
  { tool, request, maxCostUsd }: Omit<LimitedRecording, 'maxCostUsd'> & { maxCostUsd: number | undefined },
  outputs: Output[],
): Promise<number> {
  return runInteractive(config, async session => {
    const { app, signal, bar } = session
    const transcribe = (batch?: Job['batch']) => {
      // The text is printed, stored or not.
      const caller = { owner: localOwner, tool, signal, allowUnsaved: true, ...(batch && { batch }) }
      return app.jobs.transcribe(request, caller, { onProgress: bar.show })
    }
    const limited = maxCostUsd !== undefined && { tool, request, maxCostUsd }
    const { transcript, cached, formatting } = await (limited
      ? withinLimit(limited, session, transcribe)
      : transcribe())
    bar.clear()
    const isWithinRules = await writeTranscript(transcript, outputs)
    const paid = cached ? withCachedTranscription(transcript) : transcript
    const files = outputs.flatMap(({ shown }) => shown ?? [])
    printLine(`${files.length > 0 ? `Wrote ${files.join(', ')}: ` : ''}${describeResult(paid)}.`)
    printSummary(formatting === 'cached' ? withCachedFormatting(transcript) : transcript)
    if (!transcript.warnings.some(isUnsavedWarning)) printLine(`Saved as ${transcript.id}.`)
    const style = transcript.formatted?.style ?? request.format
    const lacksFormat =
      request.format !== undefined && style !== undefined && isUnformatted(transcript, style)
    return transcript.status === 'partial' || lacksFormat || !isWithinRules ? 3 : 0
  })
}

/** Prints warnings, gaps and formatting to stderr. */
function printSummary(transcript: Transcript): void {
  for (const warning of [...unknownSpeakerNote(transcript), ...transcript.warnings]) printNote(warning)
  for (const { start, end, reason } of transcript.coverage.gaps)
    printLine(`No text from ${start} s to ${end} s: ${reason}`)
  if (transcript.formatted) printFormatting(transcript.formatted)
}

/** Length, speakers and cost, such as `12:03, 2 speakers, $0.0253`. */
export function describeResult({ duration, speakers, usage }: Transcript): string {
  const cost = usage.costUsd === undefined ? [] : [formatUsd(usage.costUsd)]
  return [formatTime(duration), ...speakersOf(speakers), ...cost].join(', ')
}

/** Makes a path absolute, and allows its folder unless the user configured them. Undefined after Ctrl-C. */
async function resolveInput(input: string, config: Config) {
  const close = async () => {}
  if (isAddress(input)) return { audio: withoutQuotes(input), allowedDirs: config.allowedDirs, close }
  if (input === '-') {
    const inputs = await readInputs([input])
    if (!inputs) return undefined
    const { sources, stdin, close } = inputs
    return { audio: sources[0]!, allowedDirs: [...config.allowedDirs, dirname(stdin!)], close }
  }
  const audio = givenPath(input)
  const allowedDirs = config.allowedDirsGiven ? config.allowedDirs : await foldersOf(audio)
  return { audio, allowedDirs, close }
}

/** A file named on the command line may be read: allows its folder and, for a link, that of its target. */
async function foldersOf(file: string): Promise<string[]> {
  const real = await realpath(file).catch(() => undefined)
  // Nothing can be read, and the error says that, whatever folder is missing.
  if (real === undefined) return [parse(file).root]
  return [...new Set([dirname(file), dirname(real)])]
}
