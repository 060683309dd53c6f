// speech-mcp demo --cluster: two servers and three workers, each a process, do the main job; one is killed over it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@modelcontextprotocol/client'
import { createApp } from '../app.ts'
import { readConfig } from '../config.ts'
import type { Cloud } from '../standin/cloud.ts'
import { type Answer, order, type Stage } from './demo-order.ts'
import { foldersIn, jobsOf, type Machine, settingsOf, startMachine } from './machines.ts'

export interface ClusterStage extends Stage {
  /** What to start, and with which settings beside those of the cloud. */
  entry: string
  env: Record<string, string>
  /** Where the machines have their folders. */
  folder: string
  cloud: Cloud
  version: string
}

const recording = 'interview.mp3'
const servers = 2
const workers = 3
/** The worker is killed when so much of the recording is done. */
const share = 0.3
/** Milliseconds. What was answered so long ago is safe in the store, also where the machine is slow. */
const settled = 250
/** Milliseconds. The last worker takes the recording out of the bucket after it has answered. */
const patience = 10_000

/** Resolves with the exit code. */
export async function showCluster(stage: ClusterStage): Promise<number> {
  const { cloud, say } = stage
  const { models, oss, tables, mns } = cloud
  say(`A stand-in cloud: DashScope on ${models.url}, OSS on ${oss.endpoint},`)
  say(`Tablestore on ${tables.endpoint}, MNS on ${mns.endpoint}.\n`)
  const settings = { ...stage.env, ...settingsOf(cloud) }
  await setUp(settings, stage)
  const machines: Machine[] = []
  let isStopped = false
  const stop = () => {
    isStopped = true
    for (const machine of machines) void machine?.end('SIGKILL')
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop)
  try {
    const started = await Promise.allSettled(
      [...foldersIn(stage.folder, 'http', servers), ...foldersIn(stage.folder, 'worker', workers)].map(
        async (folder, i) => {
          const role = i < servers ? 'http' : 'worker'
          machines[i] = await startMachine({ entry: stage.entry, role, folder, env: settings })
        },
      ),
    )
    for (const one of started) if (one.status === 'rejected') throw one.reason
    return await perform(machines, stage)
  } catch (error) {
    if (!isStopped) throw error
    say('Cancelled.')
    return 130
  } finally {
    await Promise.all(machines.map(machine => machine.end('SIGKILL')))
  }
}

/** As `speech-mcp doctor` does. */
async function setUp(settings: Record<string, string>, { say }: Stage): Promise<void> {
  const app = createApp(readConfig(settings))
  const signal = AbortSignal.timeout(60_000)
  try {
    for (const make of [app.setUpStore, app.setUpQueue])
      for (const sentence of (await make?.(signal)) ?? []) say(`  ${sentence}`)
  } finally {
    await app.close()
  }
}

async function perform(machines: Machine[], stage: ClusterStage): Promise<number> {
  const { say, version } = stage
  const [front, other] = machines as [Machine, Machine]
  const crew = machines.slice(servers)
  say(`\nServers at ${front.url} and ${other.url};`)
  say(`workers: ${crew.map(({ pid }, i) => `${i + 1} (process ${pid})`).join(', ')}.\n`)
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
  const connect = async ({ url }: Machine) => {
    const client = new Client({ name: 'speech-mcp-demo', version }, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new StreamableHTTPClientTransport(new URL(url)))
    return client
  }
  const [here, there] = await Promise.all([connect(front), connect(other)])
  try {
    say('An MCP client orders at the first server:')
    const death = waitForHalf(crew, stage)
    const answer = await order(here, stage, 'transcribe_audio', recording, death.onProgress)
    if (!answer) return 1
    return (await check(answer, there, await death.took(), stage)) ? 0 : 1
  } finally {
    await Promise.allSettled([here.close(), there.close()])
  }
}

/** Kills the worker that has the job, once. */
function waitForHalf(crew: Machine[], { cloud, say }: ClusterStage) {
  let killing: Promise<number | undefined> | undefined

  async function kill(): Promise<number | undefined> {
    await quietMoment(cloud)
    const jobs = await Promise.all(crew.map(jobsOf))
    const worker = jobs.findIndex(count => count !== undefined && count > 0)
    if (worker < 0) return undefined
    await crew[worker]!.end('SIGKILL')
    say(`  Worker ${worker + 1} has it, and is killed (SIGKILL). Its chunks are safe in the store.`)
    return worker
  }

  return {
    onProgress({ progress, total }: { progress: number; total?: number | undefined }) {
      if (total !== undefined && progress >= share * total) killing ??= kill()
    },
    /** Which was killed; undefined where there was no time for it. */
    took: async () => killing,
  }
}

/** What was answered just now may not have been written down yet: that would be heard again. */
async function quietMoment({ models }: Cloud): Promise<void> {
  const isFresh = (finished: number | undefined) => finished !== undefined && Date.now() - finished < settled
  while (models.requests.some(({ finished }) => isFresh(finished))) await sleep(20)
}

async function check(
  { transcript_id, duration }: Answer,
  other: Client,
  killed: number | undefined,
  { cloud, fixtures, say }: ClusterStage,
): Promise<boolean> {
  const uri = `transcript://${transcript_id}/txt`
  say(`→ resources/read ${uri}, at the second server`)
  const { contents } = await other.readResource({ uri })
  const [first] = contents
  const words = wordsOf(first && 'text' in first ? first.text : '')
  const spoken = spokenIn(fixtures)
  say(`← ${words.length} words of ${Math.round(duration)} s\n`)

  const answered = cloud.models.requests.filter(({ status, aborted }) => status === 200 && !aborted)
  const twice = answered.length - new Set(answered.map(({ heard }) => heard)).size
  const inFlight = cloud.models.requests.filter(({ aborted }) => aborted).length
  const until = Date.now() + patience
  while (cloud.bucket().length > 0 && Date.now() < until) await sleep(50)
  const facts: [isSo: boolean, fact: string][] = [
    [killed !== undefined, 'a worker was killed over it, and another went on'],
    [words.join(' ') === spoken.join(' '), `all ${spoken.length} words that are spoken, and no other`],
    [
      twice === 0,
      `${answered.length} chunks, none of them recognised twice (${inFlight} were asked for when the worker died)`,
    ],
    [cloud.bucket().length === 0, 'the bucket is empty again'],
  ]
  for (const [isSo, fact] of facts) say(`${isSo ? 'ok  ' : 'FAIL'}  ${fact}`)
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
