// npm run trials: rounds of trouble against the built program, as one table. Bounded, seeded, on loopback only.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packagedFfmpeg, testFfmpeg } from '../test/support/audio/ffmpeg.ts'
import { makeHome } from './core/home.ts'
import { createRandom } from './core/random.ts'
import type { Round, Trial } from './core/round.ts'
import { tableOf } from './core/table.ts'
import { createTally, type RoundResult } from './core/tally.ts'
import { rounds } from './rounds/index.ts'

const usage = `npm run trials -- [ROUND …] [--quick] [--seed N] [--minutes N] [--tries FROM-TO] [--keep FOLDER] [--maker PATH] [--json FILE]

${rounds.map(({ name, summary }) => `  ${name.padEnd(11)} ${summary}`).join('\n')}

  --quick     fewer tries: two to four minutes for all rounds
  --seed N    other random choices (default: 1)
  --minutes N length of the round with HTTP clients (default: 10, quick: 0.25)
  --tries A-B only these tries of the round with clocks
  --keep DIR  copies recordings of failed tries of that round to a folder
  --maker PATH ffmpeg that makes the recordings of that round (default: the npm package's)
  --json FILE writes the results to a file, too`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    tries: { type: 'string' },
    keep: { type: 'string' },
    maker: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const unknown = positionals.filter(name => !rounds.some(round => round.name === name))
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no round ${unknown.join(', ')}.\n`)
  console.log(usage)
  process.exit(unknown.length > 0 ? 2 : 0)
}

const seed = Number(values.seed)
const { quick } = values
const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
const [first = 0, last = first] = values.tries?.split('-').map(Number) ?? []
const only = values.tries === undefined ? undefined : { first, count: last - first + 1 }
const ffmpeg = await testFfmpeg()
const maker = values.maker ?? (await packagedFfmpeg())
const chosen = positionals.length > 0 ? rounds.filter(({ name }) => positionals.includes(name)) : rounds

async function tryRound({ name, run }: Round): Promise<RoundResult> {
  const tally = createTally(name, text => console.error(text.slice(0, 2000)))
  const folder = await mkdtemp(join(tmpdir(), `speech-mcp-trials-${name}-`))
  const trial: Trial = {
    tally,
    random: createRandom(seed, name),
    seed,
    quick,
    minutes,
    only,
    keep: values.keep,
    ffmpeg,
    maker,
    folder,
    home: (own, options) => makeHome(join(folder, own), { ffmpeg, ...options }),
    size: (full, small) => (quick ? small : full),
  }
  const started = performance.now()
  try {
    await run(trial)
  } catch (error) {
    tally.fail(`the round broke off: ${error instanceof Error ? error.stack : error}`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  const { tries, failures } = tally.result
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.error(`${name}: ${tries} tries, ${failures.length} failures, ${seconds} s`)
  return tally.result
}

const results: RoundResult[] = []
for (const round of chosen) results.push(await tryRound(round))

const hasFailed = results.some(({ failures }) => failures.length > 0)
const day = new Date().toISOString().slice(0, 10)
console.log(
  `\n${day}, seed ${seed}${quick ? ', quick' : ''}, ${cpus().length} cores, Node ${process.versions.node}\n`,
)
console.log(tableOf(results))
for (const { round, notes } of results) for (const note of notes) console.log(`${round}: ${note}`)
if (values.json) await writeFile(values.json, `${JSON.stringify({ seed, quick, results }, null, 2)}\n`)
process.exit(hasFailed ? 1 : 0)
