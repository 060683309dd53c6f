// A batch whose process is killed again and again: it goes on, and each recording is billed once.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkpointed } from '../../support/e2e/billing.ts'
import { clients, type McpTestClient } from '../../support/e2e/mcp-clients.ts'
import { type System, startSystem } from '../../support/e2e/system.ts'
import { spokenWav } from '../../support/jobs/harness.ts'

const [, connect] = clients[0]!
/** SPEECH_BATCH makes more of them, and SPEECH_KILLS kills it more often. */
const recordings = Number(process.env.SPEECH_BATCH ?? 40)
const kills = Number(process.env.SPEECH_KILLS ?? 3)

/** Short jobs at once: each has one request whose answer is not stored yet, which a kill loses. */
const maxAtOnce = 8

let system: System
let folder: string

beforeAll(async () => {
  system = await startSystem({ dashscope: { latency: { base: 0.05, perSecond: 0.003 } } })
  await system.dashscope.warmUp()
  folder = join(system.folder, 'short')
  await mkdir(folder)
  for (let i = 0; i < recordings; i++) await writeFile(join(folder, `${i}.wav`), spokenWav(1, 5000 + i))
}, 120_000)
afterAll(() => system.close())

/** In kB, where the system says. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0)
}

it('a batch that is killed again and again goes on, and no answer that is kept is paid for twice', async () => {
  const args = { audio: folder, confirm_usd: 5, wait_seconds: 240 }
  const { requests } = system.dashscope
  const kept = () => checkpointed(system.env.SPEECH_DATA_DIR!).length
  /** Requests whose answer a killed process has not stored; each may be sent once more. */
  let lost = 0
  let peakKb = 0
  for (let i = 1; i <= kills; i++) {
    const client: McpTestClient = await connect(system.env)
    const enough = Math.floor((recordings * i) / (kills + 1))
    const call = client.call('transcribe_audio', args).catch(() => {})
    while (kept() < enough) await sleep(50)
    peakKb = Math.max(peakKb, await memoryOf(client.pid()))
    process.kill(client.pid(), 'SIGKILL')
    await client.close()
    await call
    while (system.dashscope.inFlight() > 0) await sleep(20)
    const lostSoFar = requests.length - kept()
    // Far fewer than the recordings of a run: one that sends each of them twice fails here.
    expect(lostSoFar - lost, `answers lost at kill ${i}`).toBeLessThanOrEqual(maxAtOnce)
    lost = lostSoFar
  }
  const client = await connect(system.env)
  const { structuredContent } = await client.call('transcribe_audio', args)
  peakKb = Math.max(peakKb, await memoryOf(client.pid()))
  await client.close()
  expect(structuredContent.status).toBe('completed')
  expect(requests.length).toBeLessThanOrEqual(recordings + lost)
  expect(structuredContent.recordings.length).toBe(Math.min(recordings, 100))
  if (process.env.SPEECH_BATCH)
    process.stdout.write(`${JSON.stringify({ recordings, kills, requests: requests.length, peakKb })}\n`)
}, 600_000)
