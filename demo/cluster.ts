// speech-mcp demo --cluster: two servers and three workers, each a process, do the main job; one is killed over it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Progress } from '@modelcontextprotocol/client'
import type { Cloud } from '../emulators/cloud.ts'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { activeJobs, cloudSettings, type Machine, machineFolders, startMachine } from './machines.ts'
import { type Answer, order, type Stage } from './transcription.ts'

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
  const { dashscope, oss, tablestore, mns } = cloud
  say(`A stand-in cloud: DashScope on ${dashscope.url}, OSS on ${oss.endpoint},`)
  say(`Tablestore on ${tablestore.endpoint}, MNS on ${mns.endpoint}.\n`)
  const settings = { ...stage.env, ...cloudSettings(cloud) }
  await setUp(settings, stage)
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
        ...machineFolders(stage.folder, 'http', servers),
        ...machineFolders(stage.folder, 'worker', workers),
      ].map(async (folder, i) => {
        const role = i < servers ? 'http' : 'worker'
        machines[i] = await startMachine({ entry: stage.entry, role, folder, env: settings })
      }),
    )
    for (const one of started) if (one.status === 'rejected') throw one.reason
    return await perform(machines, stage)
  } catch (error) {
    if (!isStopped) throw error
    say('Cancelled.')
    return 130
  } finally {
    await Promise.all(machines.map(machine => machine.kill('SIGKILL')))
  }
}

/** As `speech-mcp doctor` does. */
async function setUp(settings: Record<string, string>, { say }: Stage): Promise<void> {
  const app = await createApp(readConfig(settings))
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
    const wentOn = await death.end()
    return answer && (await check(answer, there, wentOn, stage)) ? 0 : 1
  } finally {
    await Promise.allSettled([here.close(), there.close()])
  }
}

/** Kills the worker that has the job, once, and tells who has it then. */
function waitForHalf(crew: Machine[], { cloud, say }: ClusterStage) {
  const busy = async () => {
    const jobs = await Promise.all(crew.map(activeJobs))
    return jobs.findIndex(count => count !== undefined && count > 0)
  }
  let isOver = false
  let watching: Promise<boolean> | undefined

  async function watch(): Promise<boolean> {
    await quietMoment(cloud)
    const victim = await busy()
    if (victim < 0) return false
    await crew[victim]!.kill('SIGKILL')
    say(`  Worker ${victim + 1} has it, and is killed (SIGKILL). Others see that within ten seconds.`)
    for (; !isOver; await sleep(100)) {
      const heir = await busy()
      if (heir < 0) continue
      say(`  Worker ${heir + 1} goes on with it.`)
      return true
    }
    return false
  }

  return {
    onProgress({ progress, total }: Progress) {
      if (total !== undefined && progress >= share * total) watching ??= watch()
    },
    /** True where one was killed and another was seen to go on. */
    async end(): Promise<boolean> {
      isOver = true
      return (await watching) ?? false
    },
  }
}

/** What was answered just now may not have been written down yet: that would be heard again. */
async function quietMoment({ dashscope }: Cloud): Promise<void> {
  const isFresh = (finished: number | undefined) => finished !== undefined && Date.now() - finished < settled
  while (dashscope.requests.some(({ finished }) => isFresh(finished))) await sleep(20)
}

async function check(
  { transcript_id, duration }: Answer,
  other: Client,
  wentOn: boolean,
  { cloud, fixtures, say }: ClusterStage,
): Promise<boolean> {
  const uri = `transcript://${transcript_id}/txt`
  say(`→ resources/read ${uri}, at the second server`)
  const { contents } = await other.readResource({ uri })
  const [first] = contents
  const words = wordsOf(first && 'text' in first ? first.text : '')
  const spoken = spokenIn(fixtures)
  say(`← ${words.length} words of ${Math.round(duration)} s\n`)

  const all = cloud.dashscope.requests
  const answered = all.filter(({ status, aborted }) => status === 200 && !aborted)
  const lost = all.length - answered.length
  const afterDeath = lost > 0 ? `; sent again, as they died with the worker: ${lost}` : ''
  const twice = answered.length - new Set(answered.map(({ spokenText }) => spokenText)).size
  const until = Date.now() + patience
  while (cloud.bucketKeys().length > 0 && Date.now() < until) await sleep(50)
  const facts: [isSo: boolean, fact: string][] = [
    [wentOn, 'a worker was killed over it, and another went on'],
    [words.join(' ') === spoken.join(' '), `all ${spoken.length} words that are spoken, and no other`],
    [twice === 0, `${answered.length} chunks, none of them recognised twice${afterDeath}`],
    [cloud.bucketKeys().length === 0, 'the bucket is empty again'],
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
