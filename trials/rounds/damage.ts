// A damaged database: the program lives and answers, and where an answer differs it says that something is wrong.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'libsql'
import { fixture } from '../../test/support/e2e/system.ts'
import { type Answer, callTool } from '../core/call.ts'
import type { Door } from '../core/door.ts'
import type { Home } from '../core/home.ts'
import { commonWord, fillLibrary, idOf, makeDatabase } from '../core/library.ts'
import { flip } from '../core/mutate.ts'
import { startProvider } from '../core/provider.ts'
import type { Random } from '../core/random.ts'
import type { Round, Trial } from '../core/round.ts'
import { openStdio } from '../core/stdio.ts'

const transcripts = 60
const pageBytes = 4096

const damages: Record<string, (bytes: Buffer, random: Random) => Buffer> = {
  'one byte': (bytes, random) => flip(bytes, random, 1, bytes.length),
  '200 bytes': (bytes, random) => flip(bytes, random, 200, bytes.length),
  'bytes of the header': (bytes, random) => flip(bytes, random, 3, 100),
  'bytes of the schema': (bytes, random) => flip(bytes, random, 20, pageBytes),
  'a zeroed page': (bytes, random) => {
    const page = random.below(bytes.length / pageBytes)
    return Buffer.from(bytes).fill(0, page * pageBytes, (page + 1) * pageBytes)
  },
  'ten pages of noise': (bytes, random) => {
    const copy = Buffer.from(bytes)
    for (let i = 0; i < 10; i++)
      random.bytes(pageBytes).copy(copy, pageBytes * random.below(bytes.length / pageBytes))
    return copy
  },
  'the end cut off': (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  'two pages swapped': (bytes, random) => {
    const copy = Buffer.from(bytes)
    const [a, b] = [0, 0].map(() => pageBytes * (1 + random.below(bytes.length / pageBytes - 1))) as [
      number,
      number,
    ]
    bytes.copy(copy, a, b, b + pageBytes)
    bytes.copy(copy, b, a, a + pageBytes)
    return copy
  },
  // Without any byte it would be a database that was never written.
  'a hundred bytes': bytes => bytes.subarray(0, 100),
  'another file': (bytes, random) => random.bytes(Math.min(bytes.length, 10_000)),
}

export const damage: Round = {
  name: 'damage',
  summary: 'bytes of the database changed in many places (200; quick: 20)',
  async run(trial) {
    const { tally, random } = trial
    const provider = await startProvider()
    const home = trial.home('home', { provider: provider.url })
    await makeDatabase(home)
    fillLibrary(home, { count: transcripts })
    checkpoint(home)
    const whole = join(trial.folder, 'whole')
    cpSync(home.data, whole, { recursive: true })
    const door = await openStdio({ env: home.env })
    const undamaged = reads(await use(trial, door))
    await door.close()
    const kinds = Object.entries(damages)
    const size = trial.size(200, 20)
    for (let i = 0; i < size; i++) {
      const [name, spoil] = kinds[i % kinds.length]!
      rmSync(home.data, { recursive: true })
      cpSync(whole, home.data, { recursive: true })
      const file = join(home.data, 'speech.db')
      writeFileSync(file, spoil(readFileSync(file), random))
      await tally.attempt(`damage ${i}, ${name}`, () => tryDamaged(trial, home, undamaged))
    }
    await provider.close()
  },
}

/** Writes the log into the file, so that the damage hits what is read. */
function checkpoint({ data }: Home): void {
  const database = new Sqlite(join(data, 'speech.db'))
  database.pragma('wal_checkpoint(TRUNCATE)')
  database.close()
}

async function tryDamaged(trial: Trial, home: Home, undamaged: string[]): Promise<string | undefined> {
  const { tally } = trial
  const door = await openStdio({ env: home.env })
  try {
    const answers = await use(trial, door)
    const faults = answers.flatMap(({ fault }) => fault ?? [])
    if (faults.length > 0) return faults.join('; ')
    const uncoded = answers.find(({ isError, text }) => isError && !/^[A-Z_]+: /.test(text))
    if (uncoded) return `an error without a code: ${uncoded.text.slice(0, 200)}`
    const isTold = answers.some(({ text }) => /damage|repair|set aside|STORE_/i.test(text))
    const other = reads(answers).findIndex((text, i) => text !== undamaged[i])
    if (other >= 0 && !isTold)
      return `nothing is said of a wrong answer: ${answers[other]!.text.slice(0, 300)}`
    tally.leftAt(door, home)
    return undefined
  } finally {
    await tally.end(door)
  }
}

/** Lists, searches, reads, transcribes and lists again. */
async function use({ tally }: Trial, door: Door): Promise<Answer[]> {
  const transcribe = { audio: fixture('voice-note.ogg'), context: 'after the damage', wait_seconds: 10 }
  const steps: [string, Record<string, unknown>][] = [
    ['search_transcripts', { limit: 25 }],
    ['search_transcripts', { query: commonWord, limit: 25 }],
    ['get_transcript', { transcript_id: idOf(7), wait_seconds: 0 }],
    ['transcribe_audio', transcribe],
    ['search_transcripts', { limit: 25 }],
  ]
  const answers: Answer[] = []
  for (const [tool, args] of steps) answers.push(await callTool(door, tool, args, tally))
  return answers
}

/** The answers that are the same as long as the database is. */
function reads(answers: Answer[]): string[] {
  return answers.slice(0, 3).map(({ text }) => text)
}
