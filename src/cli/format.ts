// speech-mcp format INPUT: adds punctuation and paragraphs to a transcript or a text without changing a word.
import { SpeechError } from '../domain/errors.ts'
import { localOwner } from '../domain/job.ts'
import type { Style } from '../domain/transcript.ts'
import { withCachedFormatting } from '../server/results/cost.ts'
import { type FormatSettings, parseLanguage } from '../server/results/formatting.ts'
import { transcriptIdOf } from '../server/uris.ts'
import type { Command } from './command.ts'
import { runInteractive, type Session } from './io/interactive.ts'
import { isIncomplete, isUnformatted, printFormatting, printNote } from './io/messages.ts'
import {
  type Output,
  outputFlags,
  parseOutputs,
  tryOutputs,
  writeContent,
  writeTranscript,
} from './io/output.ts'
import { readText } from './io/text-input.ts'

export const format: Command = {
  usage: 'speech-mcp format INPUT',
  help: 'Add punctuation, capitals and paragraphs to a transcript (tr_…), a text file or stdin (-).',
  takesArguments: true,
  examples: [
    ['format tr_… --style clean', 'Drops fillers, too, and prints the text.'],
    ['format notes.txt -o readable.txt', 'Formats a text file.'],
  ],
  flags: {
    ...outputFlags,
    format: { ...outputFlags.format, help: `for a transcript: ${outputFlags.format.help}` },
    style: {
      short: 's',
      help: 'faithful: keep every word; clean: drop fillers such as "um"; default: the current style',
    },
    language: { short: 'l', help: 'ISO code or English name; selects the fillers for clean' },
  },
  async run(invocation) {
    const { config, words, flags } = invocation
    const [given, ...more] = words
    const input = given && (transcriptIdOf(given) ?? given)
    if (!input || more.length > 0)
      throw new SpeechError('BAD_INPUT', 'Exactly one input is required.', {
        hint: 'Run `speech-mcp format tr_…`, `speech-mcp format FILE`, or `speech-mcp format -` for stdin.',
      })
    const style = flags.style === undefined ? undefined : parseStyle(flags.style)
    const language = parseLanguage(flags.language)
    const isTranscript = /^tr_\w+$/.test(input)
    const outputs = parseOutputs(invocation, { anyExtension: !isTranscript })
    await tryOutputs(outputs)
    if (isTranscript)
      return runInteractive(config, session =>
        formatTranscript(input, { ...language, style }, outputs, session),
      )
    for (const output of outputs) checkTextOutput(output)
    const settings = { ...language, style: style ?? 'faithful' }
    return runInteractive(config, session => formatGivenText(input, settings, outputs, session))
  },
}

async function formatTranscript(
  transcriptId: string,
  { style: requested, ...language }: Partial<FormatSettings>,
  outputs: Output[],
  { app, signal, bar }: Session,
): Promise<number> {
  const watch = { owner: localOwner, signal, onProgress: bar.show }
  const style = requested ?? (await app.jobs.read(localOwner, transcriptId)).formatted?.style ?? 'faithful'
  const { cached, warnings } = await app.jobs.format({ transcriptId, style, ...language }, watch)
  const transcript = await app.jobs.read(localOwner, transcriptId)
  bar.clear()
  await writeTranscript(transcript, outputs)
  const { formatted } = cached ? withCachedFormatting(transcript) : transcript
  for (const warning of warnings) printNote(warning)
  if (formatted) printFormatting(formatted)
  return isUnformatted(transcript, style) ? 3 : 0
}

async function formatGivenText(
  input: string,
  settings: FormatSettings,
  outputs: Output[],
  { app, signal, bar }: Session,
): Promise<number> {
  const given = await readText(input, signal)
  const watch = { owner: localOwner, signal, onProgress: bar.show }
  const { text: made } = await app.jobs.format({ text: given, ...settings }, watch)
  if (!made) throw new Error('Formatting returned no text.')
  const { text, ...formatting } = made
  bar.clear()
  await writeContent(`${text.trimEnd()}\n`, outputs)
  printFormatting(formatting)
  return isIncomplete(formatting, given) ? 3 : 0
}

function checkTextOutput({ format }: Output): void {
  if (format !== 'txt' && format !== 'md')
    throw new SpeechError('BAD_INPUT', `A plain text has no times, so it cannot be written as ${format}.`, {
      hint: 'Use --format txt, or pass the id of a transcript.',
    })
}

function parseStyle(given: string): Style {
  if (given === 'faithful' || given === 'clean') return given
  throw new SpeechError('BAD_INPUT', 'Unknown style.', { hint: 'Use faithful or clean.' })
}
