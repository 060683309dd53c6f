// A data folder that is full or read-only: the program lives, says so, deletes, and recovers when there is room again.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fixture } from '../../test/support/e2e/system.ts'
import { type Answer, callTool } from '../core/call.ts'
import type { Door } from '../core/door.ts'
import type { Home } from '../core/home.ts'
import { commonWord, fillLibrary, idOf, makeDatabase } from '../core/library.ts'
import { startProvider } from '../core/provider.ts'
import type { Round, Trial } from '../core/round.ts'
import { openStdio } from '../core/stdio.ts'

const transcripts = 200
const megabytes = 16
/** As `ulimit -f` counts, in blocks of 512 bytes: less than the database has. */
const fileLimitBlocks = 64

export const disk: Round = {
  name: 'disk',
  summary: 'a data folder that is full (a small tmpfs, or ulimit -f) or read-only',
  async run(trial) {
    if (process.platform === 'win32') return trial.tally.note('not tried: it needs mount or ulimit')
    const provider = await startProvider()
    await tryFull(trial, provider.url)
    await tryReadOnly(trial, provider.url)
    await provider.close()
  },
}

async function tryFull(trial: Trial, provider: string): Promise<void> {
  const home = trial.home('full', { provider })
  mkdirSync(home.data, { recursive: true })
  if (!mount('-t', 'tmpfs', '-o', `size=${megabytes}m`, 'trials', home.data)) {
    trial.tally.note('full disk by ulimit -f: mounting is not possible here')
    await makeLibrary(home)
    const wrapper = ['sh', '-c', `ulimit -f ${fileLimitBlocks}; exec "$0" "$@"`]
    const door = await openStdio({ env: home.env, wrapper })
    await tryFailingStore(trial, door, home, 'file limit')
    return trial.tally.end(door)
  }
  try {
    trial.tally.note(`full disk by a tmpfs of ${megabytes} MB`)
    await makeLibrary(home)
    await tryFullTmpfs(trial, home)
  } finally {
    spawnSync('umount', ['-l', home.data])
  }
}

/** Full before the start, and full while the program runs. */
async function tryFullTmpfs(trial: Trial, home: Home): Promise<void> {
  const ballast = join(home.data, 'ballast')
  for (const moment of ['before the start', 'while it runs']) {
    if (moment === 'before the start') fill(ballast)
    const door = await openStdio({ env: home.env })
    await trial.tally.attempt(`full ${moment}: the first call`, () =>
      harmless(callTool(door, 'search_transcripts', {})),
    )
    if (moment === 'while it runs') fill(ballast)
    await tryFailingStore(trial, door, home, `full ${moment}`)
    const deleted = idOf(moment === 'while it runs' ? 3 : 4)
    await trial.tally.attempt(`full ${moment}: deleting`, async () => {
      const { fault, isError, text } = await callTool(
        door,
        'delete_transcript',
        { transcript_id: deleted },
        trial.tally,
      )
      return fault ?? (isError ? text : undefined)
    })
    rmSync(ballast)
    await trial.tally.attempt(`full ${moment}: with room again`, async () => {
      const args = { audio: fixture('voice-note.ogg'), context: moment, wait_seconds: 20 }
      const { fault, data, text } = await callTool(door, 'transcribe_audio', args, trial.tally)
      return fault ?? (data.status === 'completed' ? undefined : text.slice(0, 300))
    })
    trial.tally.leftAt(door, home)
    await trial.tally.end(door)
  }
}

async function tryReadOnly(trial: Trial, provider: string): Promise<void> {
  const home = trial.home('read-only', { provider })
  await makeLibrary(home)
  const bound = mount('--bind', home.data, home.data)
  try {
    if (!(bound && mount('-o', 'remount,bind,ro', home.data)))
      return trial.tally.note('read-only folder not tried: mounting is not possible here')
    const door = await openStdio({ env: home.env })
    await tryFailingStore(trial, door, home, 'read-only')
    await trial.tally.end(door)
  } finally {
    if (bound) spawnSync('umount', ['-l', home.data])
  }
}

/** Reads work; a transcript is handed out or refused with a reason that names the store. */
async function tryFailingStore({ tally }: Trial, door: Door, home: Home, name: string): Promise<void> {
  const reads: [string, Record<string, unknown>][] = [
    ['search_transcripts', {}],
    ['search_transcripts', { query: commonWord }],
    ['get_transcript', { transcript_id: idOf(7), wait_seconds: 0 }],
  ]
  for (const [tool, args] of reads)
    await tally.attempt(`${name}: ${tool} ${JSON.stringify(args)}`, () =>
      harmless(callTool(door, tool, args, tally)),
    )
  const recordings = { 'a file': fixture('voice-note.ogg'), 'a data URI': dataUri() }
  for (const [kind, audio] of Object.entries(recordings))
    await tally.attempt(`${name}: transcribing ${kind}`, async () => {
      const args = { audio, context: `${name} ${kind}`, wait_seconds: 10 }
      const { fault, data, text } = await callTool(door, 'transcribe_audio', args, tally)
      const isTold = /STORE_|data folder|disk|space|read-only|not be (?:stored|kept)/i.test(text)
      if (fault) return fault
      if (data.status === 'completed' && !isTold) return `nothing is said of the store: ${text.slice(0, 300)}`
      return isTold ? undefined : text.slice(0, 300)
    })
  tally.leftAt(door, home)
}

/** An error that names the store is as good as a result. */
async function harmless(answering: Promise<Answer>): Promise<string | undefined> {
  const { fault, isError, text } = await answering
  return fault ?? (isError && !/^(?:STORE_|DISK_)/.test(text) ? text.slice(0, 200) : undefined)
}

async function makeLibrary(home: Home): Promise<void> {
  await makeDatabase(home)
  fillLibrary(home, { count: transcripts, sentences: 20 })
}

function dataUri(): string {
  // One second of silence.
  const samples = Buffer.alloc(32_000)
  const head = Buffer.from('UklGRgAAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQAAAAA=', 'base64')
  head.writeUInt32LE(36 + samples.length, 4)
  head.writeUInt32LE(samples.length, 40)
  return `data:audio/wav;base64,${Buffer.concat([head, samples]).toString('base64')}`
}

function mount(...args: string[]): boolean {
  return spawnSync('mount', args, { stdio: 'ignore' }).status === 0
}

/** Writes until nothing fits any more. */
function fill(file: string): void {
  for (let size = 1 << 20; size >= 512; size >>= 1)
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size, 1), { flag: 'a' })
    } catch {
      // No room for so much; perhaps for less.
    }
}
