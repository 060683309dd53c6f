// The command `speech-mcp worker`: runs jobs of another process, serves health and metrics, and drains on shutdown.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type MnsEmulator, startMns } from '../../../emulators/mns/mns.ts'
import { startTablestore, type TablestoreEmulator } from '../../../emulators/tablestore/tablestore.ts'
import { createApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config/config.ts'
import { fixture, truth } from '../../support/e2e/system.ts'
import { openTerminal, type RunningCommand, type Terminal } from '../../support/e2e/terminal.ts'

const key = { accessKeyId: 'LTAI5tTeam', accessKeySecret: 'secret-of-the-team' }
const recording = 'voice-note'
let terminal: Terminal
let tables: TablestoreEmulator
let mns: MnsEmulator
let env: Record<string, string>

beforeAll(async () => {
  ;[terminal, tables, mns] = await Promise.all([
    openTerminal({ oss: { credentials: [key] } }),
    startTablestore(key),
    startMns(key),
  ])
  const oss = terminal.dashscope.oss!
  env = {
    TABLESTORE_ENDPOINT: tables.endpoint,
    TABLESTORE_INSTANCE: tables.instance,
    MNS_ENDPOINT: mns.endpoint,
    OSS_BUCKET: oss.bucket,
    OSS_ENDPOINT: oss.endpoint,
    OSS_REGION: oss.region,
    ALIBABA_ACCESS_KEY: key.accessKeyId,
    ALIBABA_SECRET_KEY: key.accessKeySecret,
    SPEECH_WORKER_PORT: '0',
  }
  const app = await createApp(readConfig({ ...terminal.env, ...env }))
  const { signal } = new AbortController()
  await app.setUpStore!(signal)
  await app.setUpQueue!(signal)
  await app.close()
})
afterAll(() => Promise.all([terminal.close(), tables.close(), mns.close()]))

const patient = { timeout: 20_000, interval: 20 }

/** Arguments with a new context, so that the result does not come from the store. */
function transcribeArgs(name: string): string[] {
  return ['transcribe', fixture(truth(name).recording), '--context', randomUUID()]
}

/** Resolves with its address when it works. */
async function start(more: Record<string, string> = {}): Promise<RunningCommand & { url: string }> {
  const running = terminal.start(['worker'], { env: { ...env, ...more } })
  let said = ''
  for await (const [piece] of on(running)) {
    said += piece
    const url = /http:\S+(?=\.)/.exec(said)?.[0]
    if (url) return { ...running, url }
  }
  throw new Error(`The worker did not start: ${said}`)
}

async function* on({ child }: RunningCommand): AsyncGenerator<[string]> {
  for (;;) yield [String((await once(child.stderr!, 'data'))[0])]
}

describe('a worker', () => {
  it('a worker runs jobs of another process, serves health and metrics, and exits cleanly', async () => {
    const { url, child, result } = await start()
    const health = await fetch(`${url}/healthz`)
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok', jobs: 0 }])

    const { code, stdout } = await terminal.run(transcribeArgs(recording), { env })
    expect(code).toBe(0)
    expect(stdout.length).toBeGreaterThan(10)

    const page = await vi.waitFor(async () => {
      const metrics = await fetch(`${url}/metrics`)
      expect(metrics.headers.get('content-type')).toContain('text/plain')
      const text = await metrics.text()
      expect(text).toContain('speech_mcp_jobs_ended_total{tool="transcribe_audio",state="completed"} 1')
      return text
    }, patient)
    expect(page).toMatch(/speech_mcp_audio_seconds_total\{tool="transcribe_audio"\} [1-9]/)
    expect(page).toMatch(/speech_mcp_provider_request_seconds_count\{model="[^"]+"\} [1-9]/)
    expect(page).toMatch(/speech_mcp_queue_wait_seconds_count\{tool="transcribe_audio"\} 1/)
    expect(page).toContain('speech_mcp_jobs{state="running"} 0')
    expect(page).toContain('speech_mcp_jobs_at_work 0')
    expect(page).not.toMatch(/tr_|local|note/)

    const answers = await Promise.all([fetch(`${url}/`), fetch(`${url}/metrics`, { method: 'POST' })])
    expect(answers.map(({ status }) => status)).toEqual([404, 405])

    child.kill('SIGTERM')
    expect(await result).toMatchObject({ code: 0, stdout: '' })
    expect(mns.messages()).toEqual([])
    expect(terminal.dashscope.oss!.objects()).toEqual([])
  })

  it('a draining worker finishes a short job and reports that it is draining', async () => {
    const { url, child, result } = await start()
    const off = terminal.dashscope.fault({ kind: 'held' })
    const before = terminal.dashscope.requests.length
    const running = terminal.run(transcribeArgs('jfk'), { env })
    await vi.waitFor(() => expect(terminal.dashscope.requests.length).toBeGreaterThan(before), patient)
    child.kill('SIGTERM')
    await vi.waitFor(async () => {
      const health = await fetch(`${url}/healthz`)
      expect([health.status, await health.json()]).toEqual([503, { status: 'draining', jobs: 1 }])
    }, patient)
    off()
    expect((await running).code).toBe(0)
    expect((await result).code).toBe(0)
  })

  it('a worker beside a DashScope server of one’s own needs no key', async () => {
    const { child, result } = await start({ DASHSCOPE_API_KEY: '' })
    child.kill('SIGTERM')
    expect((await result).code).toBe(0)
  })

  it('a worker serves metrics even if the store does not answer', async () => {
    const { url, child, result } = await start()
    const off = tables.fault({ operation: 'GetRange', how: { kind: 'hang' } })
    const page = await (await fetch(`${url}/metrics`)).text()
    off()
    expect(page).toContain('speech_mcp_jobs_at_work 0')
    expect(page).not.toContain('speech_mcp_jobs{')
    child.kill('SIGKILL')
    await result
  })
})

describe('a worker that cannot start', () => {
  it.each<[string, Record<string, string>, RegExp, number]>([
    ['without a queue', { MNS_ENDPOINT: '' }, /^CONFIG_INVALID: .*MNS_ENDPOINT/, 2],
    [
      'without the provider’s key',
      { DASHSCOPE_API_KEY: '', DASHSCOPE_BASE_URL: 'https://dashscope-intl.aliyuncs.com/api/v1' },
      /^KEY_MISSING: .*DASHSCOPE_API_KEY/,
      1,
    ],
    ['without a bucket', { OSS_BUCKET: '' }, /^CONFIG_INVALID: .*OSS_BUCKET/, 2],
  ])('a worker cannot start %s', async (_, more, expected, code) => {
    const outcome = await terminal.run(['worker'], { env: { ...env, ...more } })
    expect(outcome).toMatchObject({ code, stdout: '' })
    expect(outcome.stderr).toMatch(expected)
  })

  it('a worker reports a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await terminal.run(['worker'], {
      env: { ...env, SPEECH_WORKER_PORT: String(port) },
    })
    server.close()
    expect([code, stderr]).toEqual([2, expect.stringContaining('SPEECH_WORKER_PORT')])
  })
})
