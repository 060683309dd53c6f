// What the commands share that are given a recording: order it, show how far it is, write what it has become.
import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { createApp } from '../app.ts'
import type { Config } from '../config.ts'
import { cancelled, SpeechError } from '../domain/errors.ts'
import { type JobTool, localOwner, type Order } from '../domain/job.ts'
import { unknownSpeakers } from '../exports/speakers.ts'
import type { Invocation } from './command.ts'
import { chosenFormat, outputFlags, writeTranscript } from './output.ts'
import { progressBar } from './progress-bar.ts'

export const orderFlags = {
  ...outputFlags,
  language: { short: 'l', help: 'ISO code or English name; otherwise detected' },
  title: { short: 't', help: 'what to call the transcript' },
}

export interface Placed {
  /** The command's name, for its hints. */
  command: string
  tool: JobTool
  /** What is ordered beside the recording, its language and its title. */
  wishes: Partial<Order>
}

/** Resolves with the exit code: 3 where something is missing, 130 when it was cancelled. */
export async function carryOut(
  { config, words, flags }: Invocation,
  { command, tool, wishes }: Placed,
): Promise<number> {
  const [input, ...more] = words
  if (!input || more.length > 0)
    throw new SpeechError('BAD_INPUT', 'One recording is wanted.', {
      hint: `Write \`speech-mcp ${command} FILE\`.`,
    })
  const format = chosenFormat(flags)
  const { language, title } = flags
  const wish = { ...wishes, ...(language && { language }), ...(title && { title }) }
  const { audio, allowedDirs } = await opened(input, config)
  const app = createApp({ ...config, allowedDirs })
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  const bar = progressBar(process.stderr)
  try {
    const caller = { owner: localOwner, signal: stop.signal }
    const { job } = await app.jobs.submit({ audio, ...wish }, { ...caller, tool })
    const { state, error } = await app.jobs.watch(job.id, { ...caller, onProgress: bar.show })
    if (state === 'cancelled') throw cancelled()
    if (error) throw new SpeechError(error.code, error.message, { hint: error.hint })
    const transcript = await app.jobs.read(localOwner, job.id)
    bar.clear()
    await writeTranscript(transcript, format, flags.output)
    for (const warning of [...unknownSpeakers(transcript), ...transcript.warnings])
      process.stderr.write(`Note: ${warning}\n`)
    for (const { start, end, reason } of transcript.coverage.gaps)
      process.stderr.write(`No text from ${start} s to ${end} s: ${reason}\n`)
    process.stderr.write(`Kept as ${transcript.id}.\n`)
    return transcript.status === 'partial' ? 3 : 0
  } catch (error) {
    bar.clear()
    if (!stop.signal.aborted) throw error
    process.stderr.write('Cancelled.\n')
    return 130
  } finally {
    await app.close()
  }
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
