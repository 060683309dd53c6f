// A batch whose process is killed again and again: it goes on, and only requests that a kill has cut are sent again.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkpointed } from '../../support/e2e/batch/checkpointed.ts'
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

/** Resident memory in MB, where the system says. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
}

it('a batch that is killed again and again goes on, and no answer that is kept is paid for twice', async () => {
  const args = { audio: folder, confirm_usd: 5, wait_seconds: 30 }
  const { requests } = system.dashscope
  const kept = () => checkpointed(system.env.SPEECH_DATA_DIR!).length
  const recordingsOf = (some: typeof requests) => some.flatMap(({ audioHash }) => audioHash ?? [])
  /** Recordings whose answer a killed process has not stored: each may be sent once more for each such kill. */
  let lost = 0
  const atKills: { open: number; lost: number }[] = []
  const memoryMb: Record<number, number> = {}

  /** The same call joins the batch again: clients do not wait for minutes. */
  async function ended(client: McpTestClient) {
    for (;;) {
      const { structuredContent } = await client.call('transcribe_audio', args)
      if (structuredContent.status !== 'running') return structuredContent
    }
  }

  /** Runs the batch in a process of its own, until so many answers are stored, or to its end. */
  async function run(enough?: number) {
    const begun = requests.length
    const client: McpTestClient = await connect(system.env)
    let isOver = false
    const call = ended(client).finally(() => {
      isOver = true
    })
    call.catch(() => {})
    for (let count = kept(); !isOver && count < (enough ?? Number.POSITIVE_INFINITY); count = kept()) {
      const mark = 100 * Math.floor(count / 100)
      if (mark > 0) memoryMb[mark] ??= await memoryOf(client.pid())
      await sleep(50)
    }
    if (enough !== undefined) {
      process.kill(client.pid(), 'SIGKILL')
      atKills.push({ open: system.dashscope.inFlight(), lost: 0 })
    } else memoryMb[recordings] = await memoryOf(client.pid())
    await client.close()
    const result = enough === undefined ? await call : undefined
    while (system.dashscope.inFlight() > 0) await sleep(20)
    const own = recordingsOf(requests.slice(begun))
    expect(new Set(own).size, 'a process that sends a recording twice').toBe(own.length)
    return result
  }

  for (let i = 1; i <= kills; i++) {
    await run(Math.floor((recordings * i) / (kills + 1)))
    const unkept = new Set(recordingsOf(requests)).size - kept()
    // As many as run at once: one that sends all recordings of a run again fails here.
    expect(unkept, `answers lost at kill ${i}`).toBeLessThanOrEqual(maxAtOnce)
    atKills.at(-1)!.lost = unkept
    lost += unkept
  }
  const { status, recordings: listed } = (await run())!
  expect(status).toBe('completed')
  expect(listed.length).toBe(Math.min(recordings, 100))
  expect(new Set(recordingsOf(requests)).size).toBe(recordings)
  const again = requests.length - recordings
  expect(again, 'requests that were sent again').toBeLessThanOrEqual(lost)
  if (process.env.SPEECH_BATCH) {
    const answered = system.dashscope.bill().entries.length
    process.stdout.write(
      `${JSON.stringify({ recordings, requests: requests.length, again, answered, atKills, memoryMb })}\n`,
    )
  }
}, 600_000)
