// The server under test with its emulated cloud: as a command for clients of stdio, and running for clients of HTTP.
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type DashscopeEmulator, startDashscope } from '../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../support/audio/ffmpeg.ts'
import { entry, root, startHttpServer, tempFolder } from '../support/e2e/system.ts'
import type { Bridge } from './bridge.ts'

export type Target =
  | { kind: 'stdio'; command: string; args: string[]; env: Record<string, string> }
  | { kind: 'http'; url: string }

export interface Subject {
  stdio: Extract<Target, { kind: 'stdio' }>
  /** The running HTTP server; started with the first use. */
  http(): Promise<Extract<Target, { kind: 'http' }>>
  /** Tells a driver what the emulator sees (`/state`), and lets the server die (`/restart`). */
  control: string
  /** Adds a running bridge, which ends with the subject. */
  addBridge(bridge: Bridge): void
  close(): Promise<void>
}

/** Notes the process id of the server in a file of its own. */
const noteProcess = pathToFileURL(fileURLToPath(new URL('note-process.mjs', import.meta.url))).href
/** How long the emulator takes for a part of a long call. */
const slowSeconds = 3

export async function startSubject(): Promise<Subject> {
  const [ffmpeg, folder] = [await testFfmpeg(), await tempFolder()]
  const dashscope = await startDashscope({ ffmpeg })
  dashscope.fault({
    kind: 'slow',
    seconds: slowSeconds,
    when: ({ context }) => context?.includes('slow') ?? false,
  })
  dashscope.fault({ kind: 'hang', when: ({ context }) => context?.includes('hang') ?? false })
  const processes = join(folder.path, 'processes')
  mkdirSync(processes)
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder.path,
    DASHSCOPE_BASE_URL: dashscope.url,
    DASHSCOPE_API_KEY: dashscope.apiKey,
    SPEECH_DATA_DIR: join(folder.path, 'data'),
    SPEECH_ALLOWED_DIRS: join(root, 'fixtures'),
    FFMPEG_PATH: ffmpeg,
    NOTE_PROCESS_IN: processes,
  }
  let running: Awaited<ReturnType<typeof startHttpServer>> | undefined
  const bridges: Bridge[] = []
  const server = await startControl(dashscope, async () => {
    endAll(processes)
    for (const bridge of bridges) await bridge.restart()
    if (!running) return
    const { port } = new URL(running.url)
    await running.stop('SIGKILL')
    running = await startHttpServer(env, port)
  })
  return {
    stdio: { kind: 'stdio', command: process.execPath, args: ['--import', noteProcess, entry], env },
    async http() {
      running ??= await startHttpServer(env)
      return { kind: 'http', url: running.url }
    },
    control: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    addBridge: bridge => void bridges.push(bridge),
    async close() {
      for (const bridge of bridges) await bridge.close()
      await running?.stop()
      endAll(processes)
      server.close()
      await dashscope.close()
      await folder.remove()
    },
  }
}

export const fixtures = join(root, 'fixtures')

/** Kills all servers that clients of stdio started. */
function endAll(processes: string): void {
  if (!existsSync(processes)) return
  for (const id of readdirSync(processes)) {
    try {
      process.kill(Number(id), 'SIGKILL')
    } catch {
      // It has ended already.
    }
    rmSync(join(processes, id))
  }
}

async function startControl(dashscope: DashscopeEmulator, restart: () => Promise<void>): Promise<Server> {
  const server = createServer(async (request, response) => {
    if (request.url === '/restart') await restart()
    const state = { inFlight: dashscope.inFlight(), requests: dashscope.requests.length }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(state))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
