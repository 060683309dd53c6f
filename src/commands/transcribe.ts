// speech-mcp transcribe INPUT: the main road for people at a terminal.
import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { createApp } from '../app.ts'
import { cancelled, SpeechError } from '../domain/errors.ts'
import { localOwner } from '../domain/job.ts'
import type { Command } from './command.ts'
import { chosenFormat, outputFlags, writeTranscript } from './output.ts'
import { progressBar } from './progress-bar.ts'

export const transcribe: Command = {
  usage: 'speech-mcp transcribe INPUT',
  help: 'Transcribe a file or https:// address.',
  takesWords: true,
  flags: {
    ...outputFlags,
    language: { short: 'l', help: 'ISO code or English name; otherwise detected' },
    context: { short: 'c', help: 'names and terms to expect' },
    title: { short: 't', help: 'what to call the transcript' },
  },
  async run({ config, words, flags }) {
    const [input, ...more] = words
    if (!input || more.length > 0)
      throw new SpeechError('BAD_INPUT', 'One recording is wanted.', {
        hint: 'Write `speech-mcp transcribe FILE`.',
      })
    const format = chosenFormat(flags)
    const isPath = existsSync(input) || !/^[a-z][a-z0-9+.-]+:/i.test(input) || /^[a-z]:[\\/]/i.test(input)
    const audio = isPath ? resolve(input) : input
    const allowedDirs = isPath && !config.allowedDirsGiven ? await foldersOf(audio) : config.allowedDirs
    const app = createApp({ ...config, allowedDirs })
    const stop = new AbortController()
    process.once('SIGINT', () => stop.abort())
    process.once('SIGTERM', () => stop.abort())
    const bar = progressBar(process.stderr)
    try {
      const { language, context, title } = flags
      const wishes = { ...(language && { language }), ...(context && { context }), ...(title && { title }) }
      const order = {
        audio,
        timestamps: format === 'json' ? ('word' as const) : ('segment' as const),
        ...wishes,
      }
      const caller = { owner: localOwner, signal: stop.signal }
      const { job } = await app.jobs.submit(order, caller)
      const { state, error } = await app.jobs.watch(job.id, { ...caller, onProgress: bar.show })
      if (state === 'cancelled') throw cancelled()
      if (error) throw new SpeechError(error.code, error.message, { hint: error.hint })
      const transcript = await app.jobs.read(localOwner, job.id)
      bar.clear()
      await writeTranscript(transcript, format, flags.output)
      for (const warning of transcript.warnings) process.stderr.write(`Note: ${warning}\n`)
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
  },
}

/** At a terminal the user names the file by hand: that opens its folder, and the one that it is a link to. */
async function foldersOf(file: string): Promise<string[]> {
  const real = await realpath(file).catch(() => file)
  return [...new Set([dirname(file), dirname(real)])]
}
