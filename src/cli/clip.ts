// speech-mcp clip ID: writes the sound of a stretch of a transcript.
import { homedir } from 'node:os'
import { extname, parse } from 'node:path'
import { createApp } from '../app.ts'
import type { Config } from '../config/config.ts'
import { SpeechError } from '../domain/errors.ts'
import { formatTime, parseTime } from '../domain/format-time.ts'
import { localOwner } from '../domain/job.ts'
import { asLine } from '../domain/text.ts'
import { partUriOf, transcriptIdOf } from '../server/uris.ts'
import type { Command } from './command.ts'
import { givenPath } from './io/given-path.ts'
import { printLine, printNote } from './io/messages.ts'
import { writeContent } from './io/output.ts'

export const clip: Command = {
  usage: 'speech-mcp clip ID',
  help: 'Write the sound of a stretch of a transcript as MP3, cut between words.',
  takesArguments: true,
  completes: 'nothing',
  flags: {
    from: { help: 'start: seconds, mm:ss or h:mm:ss; default: 0' },
    to: { help: 'end; default: as much as a clip holds, about 25 s' },
    output: { short: 'o', help: 'write to this file; default: stdout' },
  },
  examples: [['clip tr_… --from 1:20 --to 1:35 -o quote.mp3', 'Writes what was said there.']],
  async run({ config, words, flags }) {
    const [given, ...more] = words
    if (given === undefined || more.length > 0)
      throw new SpeechError('BAD_INPUT', 'A clip needs the id of one transcript.', {
        hint: 'Run `speech-mcp list` to see the ids.',
      })
    const id = transcriptIdOf(given) ?? partUriOf(given)?.id ?? given
    const output = outputOf(flags.output)
    const from = timeOf('from', flags.from) ?? 0
    const to = timeOf('to', flags.to)
    const app = await createApp({ ...config, allowedDirs: foldersOfTerminal(config) })
    try {
      const { signal } = new AbortController()
      const { audio, start, end, next, transcript } = await app.jobs.clip(localOwner, id, {
        from,
        to,
        signal,
      })
      await writeContent(audio, [output])
      if (output.shown !== undefined)
        printLine(
          `Wrote ${output.shown}: ${asLine(transcript.title)}, from ${formatTime(start)} to ${formatTime(end)}.`,
        )
      if (next !== undefined && to !== undefined)
        printNote(`This is the first part. For the next, run it again with --from ${next}.`)
      return 0
    } finally {
      for (const warning of app.storeWarnings()) printNote(warning)
      await app.close()
    }
  },
}

/** At a terminal a person may read any file, unless the setting says otherwise. */
export function foldersOfTerminal({ allowedDirs, allowedDirsGiven }: Config): string[] {
  const roots = [process.cwd(), homedir()].map(folder => parse(folder).root)
  return allowedDirsGiven ? allowedDirs : [...new Set([...roots, ...allowedDirs])]
}

function outputOf(given: string | undefined): { file: string | undefined; shown?: string } {
  if (given !== undefined && given !== '-') {
    if (extname(given).toLowerCase() !== '.mp3')
      throw new SpeechError('BAD_INPUT', 'A clip is an MP3 file.', { hint: 'Let the name end in .mp3.' })
    return { file: givenPath(given), shown: given }
  }
  if (process.stdout.isTTY)
    throw new SpeechError('BAD_INPUT', 'A terminal cannot play a clip.', { hint: 'Name a file with -o.' })
  return { file: undefined }
}

function timeOf(name: string, given: string | undefined): number | undefined {
  const seconds = given === undefined ? undefined : parseTime(given)
  if (seconds !== undefined && Number.isNaN(seconds))
    throw new SpeechError('BAD_INPUT', `--${name} is no time.`, {
      hint: 'Give seconds (83.5), mm:ss (1:23.5) or h:mm:ss.',
    })
  return seconds
}
