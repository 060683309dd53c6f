// Kills a batch of short recordings at a terminal ten times: only requests under way are sent again, and memory stays level.
// `npm run bench:batch -- --recordings 300 --kills 10 --seed 1`
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { makeShortRecordings } from '../test/support/audio/short-recordings.ts'
import { runKilledBatch } from '../test/support/e2e/batch/killed-batch.ts'
import { openTerminal } from '../test/support/e2e/terminal.ts'

const { values } = parseArgs({
  options: {
    recordings: { type: 'string', default: '300' },
    kills: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    signals: { type: 'string', default: 'SIGKILL,SIGINT,SIGTERM' },
  },
})
const count = Number(values.recordings)
const kills = Number(values.kills)

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
let state = Number(values.seed)
function random(): number {
  state = (state + 0x6d2b79f5) | 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

const terminal = await openTerminal({ latency: { base: 0.2, perSecond: 0.01 } })
try {
  await terminal.dashscope.warmUp()
  const [folder, out] = [join(terminal.work, 'memos'), join(terminal.work, 'texts')]
  await makeShortRecordings(folder, count)
  const signals = values.signals.split(',') as NodeJS.Signals[]
  const plan = { kills, signals, random, maxBilled: Math.ceil((2 * count) / (kills + 2)) }
  const started = performance.now()
  const {
    results,
    exitCode,
    billed,
    sentAgain,
    unstored,
    peakMb,
    kills: killed,
  } = await runKilledBatch(terminal, { folder, out }, plan)
  const spoken = await spokenOf(results.map(({ transcript_id }) => transcript_id))
  const texts = (await readdir(out, { recursive: true })).filter(name => name.endsWith('.txt'))
  console.log(
    [
      `recordings ${results.length}, texts ${texts.length}, exit code ${exitCode}`,
      `killed ${killed} times in ${Math.round((performance.now() - started) / 1000)} s`,
      `with speech ${spoken}, billed requests ${billed}, billed twice ${billed - spoken}`,
      `requests sent again ${sentAgain}; without a stored answer at each kill: ${unstored.join(', ')}`,
      `peak memory ${Math.round(peakMb)} MB`,
    ].join('\n'),
  )
  // A signal lets requests end; a kill loses those under way, of which a process has eight of short recordings at once.
  const isBounded =
    sentAgain <= unstored.reduce((sum, one) => sum + one, 0) && unstored.every(one => one <= 8)
  const isOnce = values.signals.includes('SIGKILL') ? isBounded : billed === spoken
  process.exitCode = isOnce && results.length === count && texts.length === count ? 0 : 1
} finally {
  await terminal.close()
}

/** Number of transcripts for which audio was sent. */
async function spokenOf(ids: string[]): Promise<number> {
  const app = await createApp(readConfig(terminal.env))
  try {
    const transcripts = await Promise.all(ids.map(id => app.jobs.read('local', id)))
    return transcripts.filter(({ usage }) => usage.audioSeconds > 0).length
  } finally {
    await app.close()
  }
}
