// speech-mcp list: the newest transcripts, or those in which words were said, with their length, speakers and date.
import { type App, createApp } from '../app.ts'
import { SpeechError } from '../domain/errors.ts'
import { formatTime } from '../domain/format-time.ts'
import { localOwner } from '../domain/job.ts'
import { asLine, plural } from '../domain/text.ts'
import type { Transcript } from '../domain/transcript.ts'
import type { Command } from './command.ts'
import { printLine, printNote } from './io/messages.ts'

const defaultLimit = 20
const maxLimit = 1_000
/** Transcripts of one page of the store. */
const pageSize = 50

export const list: Command = {
  usage: 'speech-mcp list [WORDS]',
  help: 'List recordings with their newest transcripts, the newest first; with words, those that contain all of them.',
  takesArguments: true,
  completes: 'nothing',
  flags: {
    limit: { short: 'n', help: `number of transcripts, at most ${maxLimit}; default: ${defaultLimit}` },
  },
  switches: { json: { help: 'print one JSON object a line' } },
  examples: [
    ['list', `The newest ${defaultLimit} transcripts.`],
    ['list budget "next year"', 'Transcripts in which “budget” and the phrase were said.'],
    ['list -n 100 --json', 'For scripts.'],
  ],
  async run({ config, words, flags, switches }) {
    const limit = parseLimit(flags.limit)
    const query = words.map(word => (/\s/.test(word) ? `"${word}"` : word)).join(' ')
    const app = await createApp(config)
    try {
      await printTranscripts(app, { query, limit, json: switches.has('json') })
      return 0
    } finally {
      for (const warning of app.storeWarnings()) printNote(warning)
      await app.close()
    }
  },
}

export interface ListOptions {
  /** Empty: all. */
  query?: string
  limit?: number
  json?: boolean
}

/** Prints transcripts to stdout, one a line. */
export async function printTranscripts(
  { jobs }: App,
  { query = '', limit = defaultLimit, json = false }: ListOptions = {},
): Promise<void> {
  let cursor: string | undefined
  let count = 0
  do {
    const page = { limit: Math.min(pageSize, limit - count), ...(cursor && { cursor }) }
    const { transcripts, nextCursor } = await jobs.search(localOwner, query, page)
    for (const { id } of transcripts) {
      // It may be deleted meanwhile. A summary knows neither speakers nor the state of the job.
      const transcript = await jobs.read(localOwner, id).catch(() => undefined)
      if (transcript)
        process.stdout.write(`${json ? JSON.stringify(factsOf(transcript)) : lineOf(transcript)}\n`)
    }
    count += transcripts.length
    cursor = nextCursor
  } while (cursor !== undefined && count < limit)
  if (count === 0 && !json)
    printLine(query ? 'No transcript contains these words.' : 'No transcripts are stored yet.')
}

/** One line on a transcript, for lists and exports: length, speakers and date. */
export function describeTranscript({ duration, speakers, createdAt, status }: Transcript): string {
  const parts = [formatTime(duration), ...speakersOf(speakers), `of ${dateOf(createdAt)}`]
  return [...parts, ...(status === 'completed' ? [] : [status])].join(', ')
}

/** Such as `3 speakers`; nothing where speakers were not asked for. */
export function speakersOf(speakers: Transcript['speakers']): string[] {
  return speakers ? [plural(speakers.length, 'speaker')] : []
}

function lineOf(transcript: Transcript): string {
  const { id, title, createdAt, duration, speakers, status } = transcript
  const state = status === 'completed' ? '' : `  (${status})`
  const voices = (speakersOf(speakers)[0] ?? '').padEnd(11)
  return `${id}  ${dateOf(createdAt)}  ${formatTime(duration).padStart(8)}  ${voices}  ${asLine(title)}${state}`
}

function factsOf({ id, title, createdAt, duration, speakers, status, language }: Transcript) {
  const voices = speakers?.map(({ id, name }) => name ?? id)
  return { id, title, created_at: createdAt, seconds: duration, speakers: voices, status, language }
}

function dateOf(createdAt: string): string {
  return createdAt.slice(0, 16).replace('T', ' ')
}

function parseLimit(given: string | undefined): number {
  if (given === undefined) return defaultLimit
  const limit = Number(given)
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxLimit) return limit
  throw new SpeechError('BAD_INPUT', 'The number of transcripts is invalid.', {
    hint: `Use a whole number from 1 to ${maxLimit}.`,
  })
}
