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
import { type Findings, noFindings } from './witness/conversation.ts'
import { type HttpWitness, startHttpWitness } from './witness/http-witness.ts'
import { judgeLog } from './witness/stdio-log.ts'

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
  /** Ends all, and returns the findings of the witnesses between each client and each server. */
  close(): Promise<Findings>
}

/** Notes the process id of the server in a file of its own. */
const noteProcess = pathToFileURL(fileURLToPath(new URL('note-process.mjs', import.meta.url))).href
const stdioWitness = fileURLToPath(new URL('witness/stdio-witness.mjs', import.meta.url))
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
  const [processes, said] = [join(folder.path, 'processes'), join(folder.path, 'said')]
  for (const one of [processes, said]) mkdirSync(one)
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
  let witness: HttpWitness | undefined
  const findings = noFindings()
  const bridges: Bridge[] = []
  const killed = new Set<string>()
  const server = await startControl(dashscope, async () => {
    for (const id of endAll(processes)) killed.add(id)
    for (const bridge of bridges) await bridge.restart()
    if (!running) return
    const { port } = new URL(running.url)
    await witness?.restart(
      () => running!.stop('SIGKILL'),
      async () => {
        running = await startHttpServer(env, port)
      },
    )
  })
  return {
    stdio: {
      kind: 'stdio',
      command: process.execPath,
      args: [stdioWitness, said, process.execPath, '--import', noteProcess, entry],
      env,
    },
    async http() {
      running ??= await startHttpServer(env)
      witness ??= await startHttpWitness(running.url, findings)
      return { kind: 'http', url: witness.url }
    },
    control: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    addBridge: bridge => void bridges.push(bridge),
    async close() {
      for (const bridge of bridges) await bridge.close()
      await running?.stop()
      endAll(processes)
      witness?.close()
      server.close()
      await dashscope.close()
      for (const name of readdirSync(said)) judgeLog(join(said, name), findings, killed)
      await folder.remove()
      return findings
    },
  }
}

export const fixtures = join(root, 'fixtures')

/** Kills all servers that clients of stdio started, and returns their process ids. */
function endAll(processes: string): string[] {
  if (!existsSync(processes)) return []
  const ids = readdirSync(processes)
  for (const id of ids) {
    try {
      process.kill(Number(id), 'SIGKILL')
    } catch {
      // It has ended already.
    }
    rmSync(join(processes, id))
  }
  return ids
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
