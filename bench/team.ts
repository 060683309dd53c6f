// npm run bench:team: throughput of four workers relative to one, where the provider's latency dominates.
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { cloudSettings, type Machine, machineFolders, startMachine } from '../demo/machines.ts'
import { startCloud } from '../emulators/cloud.ts'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { median, root, run, timed } from './measure.ts'

const repeats = 3
/** Jobs for each worker, so that each team is busy for about as long. */
const jobs = 8
const teamSize = 4
/** Seconds of the provider: about what a chunk of three minutes takes. */
const latency = { base: 4, perSecond: 0.004 }
const target = 3.5
const entry = join(root, 'dist', 'main.js')

const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-bench-'))
const { path: ffmpeg } = await (await createApp(readConfig())).ffmpeg()
const cloud = await startCloud({ ffmpeg, latency })
let teams = 0

/** One recording for each lane: a worker with one slot alternates between the queues. The long one just exceeds the short lane. */
async function recordings(): Promise<string[]> {
  const large = join(folder, 'large.wav')
  const wide = ['-ar', '48000', '-ac', '2', '-t', '5.5', '-c:a', 'pcm_f32le', large]
  await run(ffmpeg, ['-nostdin', '-y', '-i', join(root, 'fixtures', 'jfk.wav'), ...wide])
  return [join(root, 'fixtures', 'voice-note.ogg'), large]
}

/** Jobs per minute, from the first request to the last transcript. */
async function throughput(workers: number, files: string[]): Promise<number> {
  const team = teams++
  const env = {
    ...cloudSettings(cloud),
    TABLESTORE_PREFIX: `team${team}`,
    MNS_QUEUE: `team${team}`,
    SPEECH_WORKER_JOBS: '1',
    FFMPEG_PATH: ffmpeg,
    SPEECH_ALLOWED_DIRS: `${folder}:${root}`,
  }
  await setUp(env)
  const data = join(folder, `data-${team}`)
  const machines = await Promise.all([
    ...machineFolders(data, 'http', 1).map(one => startMachine({ entry, role: 'http', folder: one, env })),
    ...machineFolders(data, 'worker', workers).map(one =>
      startMachine({ entry, role: 'worker', folder: one, env }),
    ),
  ])
  try {
    const client = await connect(machines[0]!)
    const all = (count: number, label: string) =>
      Promise.all(Array.from({ length: count }, (_, i) => transcribe(client, files[i % 2]!, `${label} ${i}`)))
    // Warms up what is loaded on first use.
    await all(2 * workers, 'before')
    const [took] = await timed(() => all(jobs * workers, 'job'))
    await client.close()
    return (60 * jobs * workers) / took
  } finally {
    await Promise.all(machines.map(machine => machine.kill('SIGKILL')))
  }
}

async function setUp(env: Record<string, string>): Promise<void> {
  const app = await createApp(readConfig(env))
  const { signal } = new AbortController()
  await Promise.all([app.setUpStore?.(signal), app.setUpQueue?.(signal)])
  await app.close()
}

async function connect({ url }: Machine): Promise<Client> {
  const client = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  return client
}

/** The context makes each a request of its own. */
async function transcribe(client: Client, audio: string, context: string): Promise<void> {
  const result = await client.callTool(
    { name: 'transcribe_audio', arguments: { audio, context, wait_seconds: 240 } },
    { timeout: 600_000, onprogress: () => {}, resetTimeoutOnProgress: true },
  )
  const { status } = (result.structuredContent ?? {}) as { status?: string }
  if (status !== 'completed') throw new Error(JSON.stringify(result.content))
}

try {
  const files = await recordings()
  await cloud.dashscope.warmUp()
  const each = `${jobs} jobs for each worker, ${latency.base} s of the provider for each job`
  console.log(`${each}; ${cpus().length} cores\n`)
  const pairs: { one: number; many: number }[] = []
  for (let i = 0; i < repeats; i++) {
    const [one, many] = [await throughput(1, files), await throughput(teamSize, files)]
    pairs.push({ one, many })
    console.error(`${one.toFixed(1)} and ${many.toFixed(1)} jobs per minute: ${(many / one).toFixed(2)}`)
  }
  const ratio = median(pairs.map(({ one, many }) => many / one))
  const lines: [what: string, figure: string, isMet: boolean][] = [
    ['jobs per minute, one worker', median(pairs.map(({ one }) => one)).toFixed(1), true],
    [`jobs per minute, ${teamSize} workers`, median(pairs.map(({ many }) => many)).toFixed(1), true],
    [`ratio (≥ ${target})`, ratio.toFixed(2), ratio >= target],
  ]
  for (const [what, figure, isMet] of lines)
    console.log(`  ${what.padEnd(30)} ${figure.padStart(10)}${isMet ? '' : '  NO'}`)
  process.exitCode = ratio >= target ? 0 : 1
} finally {
  await cloud.close()
  await rm(folder, { recursive: true, force: true })
}
