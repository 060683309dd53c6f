// speech-mcp demo --cluster: two servers and three workers as processes; one worker is killed during its job.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@modelcontextprotocol/client'
import type { Cloud } from '../emulators/cloud.ts'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { activeJobs, cloudSettings, type Machine, machineFolders, startMachine } from './machines.ts'
import { type Answer, type DemoOptions, transcribe } from './transcription.ts'

export interface ClusterDemo extends DemoOptions {
  /** The built `main.js`. */
  entry: string
  /** Settings in addition to those of the cloud. */
  env: Record<string, string>
  /** Parent of the machines' data folders. */
  folder: string
  cloud: Cloud
  version: string
}

const recording = 'interview.mp3'
const servers = 2
const workers = 3
/** The last worker deletes the recording from the bucket after it has responded. */
const cleanupTimeoutMs = 10_000

/** Resolves with the exit code. */
export async function runClusterDemo(options: ClusterDemo): Promise<number> {
  const { cloud, print } = options
  const { dashscope, oss, tablestore, mns } = cloud
  print(`Local emulators: DashScope on ${dashscope.url}, OSS on ${oss.endpoint},`)
  print(`Tablestore on ${tablestore.endpoint}, MNS on ${mns.endpoint}.\n`)
  const settings = { ...options.env, ...cloudSettings(cloud) }
  await setUp(settings, options)
  const machines: Machine[] = []
  let isStopped = false
  const stop = () => {
    isStopped = true
    for (const machine of machines) void machine?.kill('SIGKILL')
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop)
  try {
    const started = await Promise.allSettled(
      [
        ...machineFolders(options.folder, 'http', servers),
        ...machineFolders(options.folder, 'worker', workers),
      ].map(async (folder, i) => {
        const role = i < servers ? 'http' : 'worker'
        machines[i] = await startMachine({ entry: options.entry, role, folder, env: settings })
      }),
    )
    for (const one of started) if (one.status === 'rejected') throw one.reason
    return await runJob(machines, options)
  } catch (error) {
    if (!isStopped) throw error
    print('Cancelled.')
    return 130
  } finally {
    await Promise.all(machines.map(machine => machine.kill('SIGKILL')))
  }
}

/** Creates tables and queues, as `speech-mcp doctor` does. */
async function setUp(settings: Record<string, string>, { print }: DemoOptions): Promise<void> {
  const app = await createApp(readConfig(settings))
  const signal = AbortSignal.timeout(60_000)
  try {
    for (const make of [app.setUpStore, app.setUpQueue])
      for (const sentence of (await make?.(signal)) ?? []) print(`  ${sentence}`)
  } finally {
    await app.close()
  }
}

async function runJob(machines: Machine[], options: ClusterDemo): Promise<number> {
  const { print, version } = options
  const [first, other] = machines as [Machine, Machine]
  const workerMachines = machines.slice(servers)
  print(`\nServers at ${first.url} and ${other.url};`)
  print(`workers: ${workerMachines.map(({ pid }, i) => `${i + 1} (process ${pid})`).join(', ')}.\n`)
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
  const connect = async ({ url }: Machine) => {
    const client = new Client({ name: 'speech-mcp-demo', version }, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new StreamableHTTPClientTransport(new URL(url)))
    return client
  }
  const [firstClient, secondClient] = await Promise.all([connect(first), connect(other)])
  try {
    print('An MCP client calls the first server:')
    const kill = killWorkerMidway(workerMachines, options)
    const answer = await transcribe(firstClient, options, 'transcribe_audio', recording)
    const tookOver = await kill.end()
    return answer && (await check(answer, secondClient, tookOver, options)) ? 0 : 1
  } finally {
    await Promise.allSettled([firstClient.close(), secondClient.close()])
  }
}

/** Kills the worker that runs the job, once, and reports which worker takes over. */
function killWorkerMidway(workerMachines: Machine[], { cloud, print }: ClusterDemo) {
  const busy = async () => {
    const jobs = await Promise.all(workerMachines.map(activeJobs))
    return jobs.findIndex(count => count !== undefined && count > 0)
  }
  let isOver = false
  const { isStored, release } = holdAfterFirstChunk(cloud)

  async function watch(): Promise<boolean> {
    while (!isOver && !isStored()) await sleep(20)
    const victim = await busy()
    if (victim < 0) return false
    await workerMachines[victim]!.kill('SIGKILL')
    print(
      `  Worker ${victim + 1} runs the job and is killed (SIGKILL). The others notice within ten seconds.`,
    )
    for (; !isOver; await sleep(100)) {
      const successor = await busy()
      if (successor < 0) continue
      print(`  Worker ${successor + 1} takes over.`)
      return true
    }
    return false
  }

  const watching = watch().finally(release)
  return {
    /** True if one worker was killed and another one took over. */
    async end(): Promise<boolean> {
      isOver = true
      return watching
    },
  }
}

/**
 * Holds every request after the first response until `release`, so that the job is neither over before the worker dies,
 * nor again before the next one is seen. A chunk that is not stored would be recognised twice.
 */
function holdAfterFirstChunk({ dashscope, tablestore }: Cloud) {
  const first = () => dashscope.requests.find(({ status }) => status === 200)
  const release = dashscope.fault({ kind: 'held', when: () => first() !== undefined })
  const isStored = () => {
    // Since this request nothing but its answer is put there.
    const asked = first()?.started ?? Number.POSITIVE_INFINITY
    return tablestore.calls.some(
      ({ operation, table, status, at }) =>
        operation === 'PutRow' && table === 'speech_checkpoints' && status === 200 && at >= asked,
    )
  }
  return { isStored, release }
}

async function check(
  { transcript_id, duration }: Answer,
  other: Client,
  tookOver: boolean,
  { cloud, fixtures, print }: ClusterDemo,
): Promise<boolean> {
  const uri = `transcript://${transcript_id}/txt`
  print(`→ resources/read ${uri}, from the second server`)
  const { contents } = await other.readResource({ uri })
  const [first] = contents
  const words = wordsOf(first && 'text' in first ? first.text : '')
  const spoken = spokenIn(fixtures)
  print(`← ${words.length} words of ${Math.round(duration)} s\n`)

  const all = cloud.dashscope.requests
  const answered = all.filter(({ status, aborted }) => status === 200 && !aborted)
  const lost = all.length - answered.length
  const afterDeath = lost > 0 ? `; requests repeated because the worker died: ${lost}` : ''
  const twice = answered.length - new Set(answered.map(({ spokenText }) => spokenText)).size
  const until = Date.now() + cleanupTimeoutMs
  while (cloud.bucketKeys().length > 0 && Date.now() < until) await sleep(50)
  const facts: [isSo: boolean, fact: string][] = [
    [tookOver, 'a worker was killed during the job, and another one took over'],
    [words.join(' ') === spoken.join(' '), `all ${spoken.length} spoken words, and no others`],
    [twice === 0, `${answered.length} chunks, none recognised twice${afterDeath}`],
    [cloud.bucketKeys().length === 0, 'no recording is left in the bucket'],
  ]
  for (const [isSo, fact] of facts) print(`${isSo ? 'ok  ' : 'FAIL'}  ${fact}`)
  return facts.every(([isSo]) => isSo)
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter(word => word !== '')
}

function spokenIn(fixtures: string): string[] {
  const file = join(fixtures, recording.replace(/\.\w+$/, '.truth.json'))
  const { words } = JSON.parse(readFileSync(file, 'utf8')) as { words: { text: string }[] }
  return wordsOf(words.map(({ text }) => text).join(' '))
}
