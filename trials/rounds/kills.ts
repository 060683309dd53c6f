// kill -9 during writes: the database stays whole, and everything that the program has acknowledged is there.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Sqlite from 'libsql'
import { fixture } from '../../test/support/e2e/system.ts'
import { callTool } from '../core/call.ts'
import type { Home } from '../core/home.ts'
import { processesOf } from '../core/process-facts.ts'
import { startProvider } from '../core/provider.ts'
import type { Round, Trial } from '../core/round.ts'
import { openStdio, type StdioDoor } from '../core/stdio.ts'
import { untilIdle } from '../core/tally.ts'

/** Latest moment of a kill, in milliseconds after the first acknowledgement. */
const maxDelayMs = 400
const writers = 3

/** Acknowledged by the program: titles by transcript id; undefined for a deleted transcript. */
type Acknowledged = Map<string, string | undefined>

export const kills: Round = {
  name: 'kills',
  summary:
    'kill -9 during writes, then integrity_check and a look at all that was acknowledged (100; quick: 10)',
  async run(trial) {
    const { tally } = trial
    const provider = await startProvider()
    const home = trial.home('home', { provider: provider.url })
    const acknowledged: Acknowledged = new Map()
    const size = trial.size(100, 10)
    for (let i = 0; i < size; i++)
      await tally.attempt(`kill ${i}`, async () => {
        await writeUntilKilled(trial, home, i, acknowledged)
        return checkDatabase(home) ?? missing(home, acknowledged)
      })
    await tally.attempt('after all kills', async () => {
      const door = await openStdio({ env: home.env })
      for (const [id, title] of acknowledged) {
        const { fault, data, isError } = await callTool(door, 'get_transcript', {
          transcript_id: id,
          wait_seconds: 0,
        })
        if (fault) return `${id}: ${fault}`
        if (isError !== (title === undefined)) return `${id}: ${isError ? 'lost' : 'deleted and back'}`
        if (title !== undefined && data.title !== title) return `${id}: ${data.title} instead of ${title}`
      }
      // The program has taken up the jobs of the last kill.
      await untilIdle(door, home)
      tally.leftAt(door, home)
      const orphans = processesOf(home.folder).filter(({ pid, parent }) => ![pid, parent].includes(door.pid))
      if (orphans.length > 0)
        tally.fail(`left by a kill: ${orphans.map(({ command }) => command).join(' | ')}`)
      await tally.end(door)
      return undefined
    })
    tally.note(`${acknowledged.size} acknowledged transcripts`)
    await provider.close()
  },
}

/** Several writers transcribe, rename and delete until the process dies; a lost answer acknowledges nothing. */
async function writeUntilKilled(
  trial: Trial,
  home: Home,
  i: number,
  acknowledged: Acknowledged,
): Promise<void> {
  const { random, tally } = trial
  const door = await openStdio({ env: home.env })
  const delayMs = maxDelayMs * random.next()
  let first: () => void = () => {}
  const acknowledgedFirst = new Promise<void>(resolve => {
    first = resolve
  })
  const writing = Array.from({ length: writers }, async (_, k) => {
    for (let n = 0; door.ended() === undefined; n++) {
      const failure = await write(trial, door, `${i}-${k}-${n}`, n, acknowledged)
      if (failure === 'gone') return
      if (failure) return tally.fail(`kill ${i}: ${failure}`)
      first()
    }
  })
  await Promise.race([acknowledgedFirst, Promise.all(writing)])
  await sleep(delayMs)
  await door.kill()
  await Promise.all(writing)
}

/** A change whose answer is lost may have happened, so its transcript is not looked at any more. */
async function write(
  { tally }: Trial,
  door: StdioDoor,
  name: string,
  n: number,
  acknowledged: Acknowledged,
): Promise<string | undefined> {
  const args = { audio: fixture('voice-note.ogg'), context: name, title: name, wait_seconds: 30 }
  const made = await callTool(door, 'transcribe_audio', args, tally)
  if (made.lost === 'gone') return 'gone'
  if (made.fault || made.isError) return made.fault ?? made.text
  const id = String(made.data.transcript_id)
  acknowledged.set(id, name)
  if (n % 3 === 0) return undefined
  const change = n % 3 === 1 ? { title: `${name}, renamed` } : undefined
  acknowledged.delete(id)
  const changed = await (change
    ? callTool(door, 'update_transcript', { transcript_id: id, ...change })
    : callTool(door, 'delete_transcript', { transcript_id: id }))
  if (changed.lost === 'gone') return 'gone'
  if (changed.fault || changed.isError) return changed.fault ?? changed.text
  acknowledged.set(id, change?.title)
  return undefined
}

function checkDatabase({ data }: Home): string | undefined {
  const file = join(data, 'speech.db')
  if (!existsSync(file)) return 'there is no database'
  const database = new Sqlite(file)
  try {
    const [row] = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
    return row?.integrity_check === 'ok' ? undefined : `integrity_check: ${row?.integrity_check}`
  } finally {
    database.close()
  }
}

function missing({ data }: Home, acknowledged: Acknowledged): string | undefined {
  const database = new Sqlite(join(data, 'speech.db'))
  try {
    const rows = database.prepare('SELECT id FROM transcripts').all() as { id: string }[]
    const stored = new Set(rows.map(({ id }) => id))
    const wrong = [...acknowledged].filter(([id, title]) => stored.has(id) === (title === undefined))
    return wrong.length > 0 ? `not as acknowledged: ${wrong.slice(0, 3).join('; ')}` : undefined
  } finally {
    database.close()
  }
}
