// What the commands share that are given a recording: order it, show how far it is, write what it has become.
import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { cancelled, SpeechError } from '../domain/errors.ts'
import { type JobTool, localOwner, type TranscriptionRequest } from '../domain/job.ts'
import type { Transcript } from '../domain/transcript.ts'
import { unknownSpeakerNote } from '../formats/speakers.ts'
import { withCachedFormatting } from '../server/results/cost.ts'
import type { Invocation } from './command.ts'
import { attended } from './io/interruptible.ts'
import { isUnformatted, note, noteFormatting } from './io/messages.ts'
import { chosenFormat, outputFlags, writeTranscript } from './io/output.ts'

export const orderFlags = {
  ...outputFlags,
  language: { short: 'l', help: 'ISO code or English name; otherwise detected' },
  title: { short: 't', help: 'what to call the transcript' },
}

/** `--format` says how the output is written. */
export const orderSwitches = {
  readable: { help: 'also format the text: punctuation, capitals and paragraphs, with not a word changed' },
}

export interface Placed {
  /** The command's name, for its hints. */
  command: string
  tool: JobTool
  /** What is ordered beside the recording, its language and its title. */
  wishes: Partial<TranscriptionRequest>
}

/** Resolves with the exit code: 3 where something is missing, 130 when it was cancelled. */
export async function carryOut(
  { config, words, flags, switches }: Invocation,
  { command, tool, wishes }: Placed,
): Promise<number> {
  const [input, ...more] = words
  if (!input || more.length > 0)
    throw new SpeechError('BAD_INPUT', 'One recording is wanted.', {
      hint: `Write \`speech-mcp ${command} FILE\`.`,
    })
  const format = chosenFormat(flags, 'For readable text write --readable.')
  const { language, title } = flags
  const wish = {
    ...wishes,
    ...(language && { language }),
    ...(title && { title }),
    ...(switches.has('readable') && { format: 'faithful' as const }),
  }
  const { audio, allowedDirs } = await opened(input, config)
  return attended({ ...config, allowedDirs }, async ({ app, signal, bar }) => {
    const caller = { owner: localOwner, signal }
    const watch = { ...caller, onProgress: bar.show }
    const { job: placed, answered } = await app.jobs.submit({ audio, ...wish }, { ...caller, tool })
    const job = await app.jobs.watch(placed.id, watch)
    if (job.state === 'cancelled') throw cancelled()
    if (job.error) throw new SpeechError(job.error.code, job.error.message, { hint: job.error.hint })
    const { transcript, wasFormatted } = await app.readOrdered(wish, { job, answered }, watch)
    bar.clear()
    await writeTranscript(transcript, format, flags.output)
    tell(wasFormatted ? withCachedFormatting(transcript) : transcript)
    const style = transcript.formatted?.style ?? wish.format
    const isLacking = wish.format !== undefined && style !== undefined && isUnformatted(transcript, style)
    return transcript.status === 'partial' || isLacking ? 3 : 0
  })
}

function tell(transcript: Transcript): void {
  for (const warning of [...unknownSpeakerNote(transcript), ...transcript.warnings]) note(warning)
  for (const { start, end, reason } of transcript.coverage.gaps)
    process.stderr.write(`No text from ${start} s to ${end} s: ${reason}\n`)
  if (transcript.formatted) noteFormatting(transcript.formatted)
  process.stderr.write(`Kept as ${transcript.id}.\n`)
}

/** The recording as it is ordered, and the folders that are open for it. */
async function opened(input: string, config: Config): Promise<{ audio: string; allowedDirs: string[] }> {
  const isPath = existsSync(input) || !/^[a-z][a-z0-9+.-]+:/i.test(input) || /^[a-z]:[\\/]/i.test(input)
  const audio = isPath ? resolve(input) : input
  const own = isPath && !config.allowedDirsGiven
  return { audio, allowedDirs: own ? await foldersOf(audio) : config.allowedDirs }
}

/** At a terminal the user names the file by hand: that opens its folder, and the one that it is a link to. */
async function foldersOf(file: string): Promise<string[]> {
  const real = await realpath(file).catch(() => file)
  return [...new Set([dirname(file), dirname(real)])]
}
