// stdout carries only JSON-RPC: with every library loaded, at debug log level, on errors and at shutdown.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { uncachedOptions } from '../../support/e2e/spaced-system.ts'
import { entry, fixture, type System, startSystem } from '../../support/e2e/system.ts'

let system: System

beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.close())

/** A server without a client library; records every line of its stdout. */
function startRaw(env: Record<string, string>) {
  const server = spawn(process.execPath, [entry], { env, stdio: 'pipe' })
  const lines: string[] = []
  const waiting = new Map<number, (message: Record<string, unknown>) => void>()
  createInterface({ input: server.stdout }).on('line', line => {
    lines.push(line)
    const message = JSON.parse(line) as { id?: number }
    waiting.get(message.id ?? -1)?.(message)
  })
  let stderr = ''
  server.stderr.on('data', piece => {
    stderr += piece
  })
  let id = 0
  return {
    lines,
    server,
    stderr: () => stderr,
    send: (message: unknown) =>
      void server.stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`),
    ask(method: string, params: unknown) {
      const message = { jsonrpc: '2.0', id: ++id, method, params }
      return new Promise<Record<string, unknown>>(answer => {
        waiting.set(message.id, answer)
        server.stdin.write(`${JSON.stringify(message)}\n`)
      })
    },
  }
}

const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } }
const call = (args: unknown) => ({ name: 'transcribe_audio', arguments: args, _meta: { progressToken: 1 } })

it('stdout carries only JSON-RPC, and stderr no speech, path or key', async () => {
  const raw = startRaw({
    ...system.env,
    SPEECH_LOG: 'debug',
    NODE_DEBUG: 'http',
    DASHSCOPE_API_KEY: system.dashscope.apiKey,
  })
  await raw.ask('initialize', hello)
  raw.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await raw.ask('tools/list', {})
  for (const audio of [
    fixture('jfk.wav'),
    fixture('chinese.flac'),
    fixture('jfk.truth.json'),
    '/no/such',
    7,
    'https://127.0.0.1/',
  ])
    await raw.ask('tools/call', call({ audio }))
  raw.send('this is not JSON')
  raw.send({ jsonrpc: '2.0', id: 77 })
  await raw.ask('resources/read', { uri: 'transcript://tr_x' })
  await raw.ask('no/such/method', {})
  const off = system.dashscope.fault({ kind: 'garbage', times: 1 })
  await raw.ask('tools/call', call({ audio: fixture('voice-note.ogg'), language: 'Klingon' }))
  off()
  raw.server.stdin.end()
  await once(raw.server, 'exit')
  expect(raw.lines.length).toBeGreaterThan(10)
  for (const line of raw.lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' })
  const ours = raw
    .stderr()
    .split('\n')
    .filter(line => line.startsWith('{'))
    .join('\n')
  expect(ours).toContain('"event"')
  for (const secret of ['country', system.dashscope.apiKey, 'fixtures']) expect(ours).not.toContain(secret)
})

it('the server lives on when its stderr is not read', async () => {
  const raw = startRaw({ ...system.env, SPEECH_LOG: 'debug' })
  await raw.ask('initialize', hello)
  raw.server.stderr.destroy()
  for (let i = 0; i < 3; i++)
    expect(await raw.ask('tools/call', call({ audio: fixture('jfk.truth.json') }))).toHaveProperty('result')
  raw.server.stdin.end()
  expect((await once(raw.server, 'exit'))[0]).toBe(0)
})

it('the log on stderr contains nothing of the recordings', async () => {
  const raw = startRaw({ ...system.env, SPEECH_LOG: 'debug' })
  await raw.ask('initialize', hello)
  await raw.ask('tools/call', call({ audio: fixture('jfk.wav'), ...uncachedOptions() }))
  await raw.ask('tools/call', call({ audio: fixture('jfk.truth.json') }))
  raw.server.stdin.end()
  await once(raw.server, 'exit')
  expect(raw.stderr()).toContain('transcribed')
  for (const secret of ['country', system.dashscope.apiKey, 'fixtures', 'jfk'])
    expect(raw.stderr()).not.toContain(secret)
})

it.each(['the client goes', 'SIGTERM', 'SIGINT'] as const)(
  'the server exits without leftover processes or scratch files when during a call: %s',
  async how => {
    const off = system.dashscope.fault({ kind: 'hang' })
    // A separate data folder: otherwise the next server would resume this one’s job.
    const env = { ...system.env, SPEECH_DATA_DIR: join(system.folder, `data of ${how}`) }
    const raw = startRaw(env)
    await raw.ask('initialize', hello)
    const audio = `data:audio/ogg;base64,${readFileSync(fixture('voice-note.ogg')).toString('base64')}`
    void raw.ask('tools/call', call({ audio, ...uncachedOptions() }))
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBe(1))
    const scratch = join(env.SPEECH_DATA_DIR, 'scratch')
    expect(readdirSync(scratch)).toHaveLength(1)
    if (how === 'the client goes') raw.server.stdin.end()
    else raw.server.kill(how)
    const [code] = await once(raw.server, 'exit')
    expect(code).toBe(0)
    expect(readdirSync(scratch)).toEqual([])
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBe(0))
    off()
  },
)
