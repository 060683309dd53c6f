// speech-mcp format INPUT: a transcript or a text becomes readable, with not a word changed.
import { access, constants } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import { SpeechError } from '../domain/errors.ts'
import { localOwner } from '../domain/job.ts'
import type { Style } from '../domain/transcript.ts'
import { type FormatName, isFormatName } from '../formats/index.ts'
import { withCachedFormatting } from '../server/results/cost.ts'
import { type FormatSettings, parseLanguage } from '../server/results/formatting.ts'
import { transcriptIdOf } from '../server/uris.ts'
import type { Command } from './command.ts'
import { type Attendance, attended } from './io/interruptible.ts'
import { isLacking, isUnformatted, note, noteFormatting } from './io/messages.ts'
import { chosenFormat, outputFlags, writeText, writeTranscript } from './io/output.ts'
import { readText } from './io/text-input.ts'

interface Output {
  format: FormatName
  /** Undefined: stdout. */
  file: string | undefined
}

export const format: Command = {
  usage: 'speech-mcp format INPUT',
  help: 'Add punctuation, capitals and paragraphs to a transcript (tr_…), a text file or stdin (-).',
  takesWords: true,
  flags: {
    ...outputFlags,
    format: { ...outputFlags.format, help: `of a transcript: ${outputFlags.format.help}` },
    style: {
      short: 's',
      help: 'faithful: every word stays; clean: fillers such as "um" go; otherwise as it is now',
    },
    language: { short: 'l', help: 'ISO code or English name; clean goes by it' },
  },
  async run({ config, words, flags }) {
    const [given, ...more] = words
    const input = given && (transcriptIdOf(given) ?? given)
    if (!input || more.length > 0)
      throw new SpeechError('BAD_INPUT', 'One text is wanted.', {
        hint: 'Write `speech-mcp format tr_…`, `speech-mcp format FILE`, or `speech-mcp format -` for stdin.',
      })
    const style = flags.style === undefined ? undefined : styleNamed(flags.style)
    const language = parseLanguage(flags.language)
    const isTranscript = /^tr_\w+$/.test(input)
    const output = { format: isTranscript ? chosenFormat(flags) : textFormat(flags), file: flags.output }
    if (isTranscript)
      return attended(config, attendance =>
        formatTranscript(input, { ...language, ...(style && { style }) }, output, attendance),
      )
    await ensureTextFits(output)
    const wish = { ...language, style: style ?? 'faithful' }
    return attended(config, attendance => formatGiven(input, wish, output, attendance))
  },
}

async function formatTranscript(
  transcriptId: string,
  { style: wished, ...language }: Partial<FormatSettings>,
  { format, file }: Output,
  { app, signal, bar }: Attendance,
): Promise<number> {
  const watch = { owner: localOwner, signal, onProgress: bar.show }
  const style = wished ?? (await app.jobs.read(localOwner, transcriptId)).formatted?.style ?? 'faithful'
  const { answered, warnings } = await app.jobs.format({ transcriptId, style, ...language }, watch)
  const transcript = await app.jobs.read(localOwner, transcriptId)
  bar.clear()
  await writeTranscript(transcript, format, file)
  const { formatted } = answered ? withCachedFormatting(transcript) : transcript
  for (const warning of warnings) note(warning)
  if (formatted) noteFormatting(formatted)
  return isUnformatted(transcript, style) ? 3 : 0
}

async function formatGiven(
  input: string,
  wish: FormatSettings,
  { file }: Output,
  { app, signal, bar }: Attendance,
): Promise<number> {
  const given = await readText(input, signal)
  const watch = { owner: localOwner, signal, onProgress: bar.show }
  const { text: made } = await app.jobs.format({ text: given, ...wish }, watch)
  if (!made) throw new Error('A text was given, and none has come back.')
  const { text, ...formatting } = made
  bar.clear()
  await writeText(`${text.trimEnd()}\n`, file)
  noteFormatting(formatting)
  return isLacking(formatting, given) ? 3 : 0
}

/** A text may be in a file of any ending but those that are for times. */
function textFormat(flags: Record<string, string | undefined>): FormatName {
  const { format, output } = flags
  const ending = extname(output ?? '').slice(1)
  return format === undefined && !isFormatName(ending.toLowerCase()) ? 'txt' : chosenFormat(flags)
}

/** A text is not kept, so what it is written to is looked at before it is paid for. */
async function ensureTextFits({ format, file }: Output): Promise<void> {
  if (format !== 'txt' && format !== 'md')
    throw new SpeechError('BAD_INPUT', `A text has no times, so it cannot be written as ${format}.`, {
      hint: 'Write it as txt, or give the id of a transcript.',
    })
  if (file === undefined) return
  await access(dirname(file), constants.W_OK).catch(cause => {
    throw new SpeechError('BAD_INPUT', 'The output could not be written there.', {
      hint: 'Check that its folder exists and may be written.',
      cause,
    })
  })
}

function styleNamed(given: string): Style {
  if (given === 'faithful' || given === 'clean') return given
  throw new SpeechError('BAD_INPUT', 'There is no such style.', { hint: 'Use faithful or clean.' })
}
