// Servers and workers of a team as processes, with an emulated cloud; each can be killed and restarted.
import { join } from 'node:path'
import {
  cloudSettings,
  type Machine,
  machineFolders,
  type Role,
  startMachine,
} from '../../../demo/machines.ts'
import { type Cloud, type CloudOptions, startCloud } from '../../../emulators/cloud.ts'
import { createApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config/config.ts'
import { createLargeValues } from '../../../src/drivers/store/tablestore/large-values.ts'
import { createRequests } from '../../../src/drivers/store/tablestore/requests.ts'
import { createRows } from '../../../src/drivers/store/tablestore/rows.ts'
import { testFfmpeg } from '../audio/ffmpeg.ts'
import { type HttpAccess, httpClients } from './mcp-clients.ts'
import { entry, type TempFolder, type ToolAnswer, tempFolder } from './system.ts'

export interface ClusterOptions {
  servers: number
  workers: number
  env?: Record<string, string>
  /**
   * Minutes by which the clock of each machine is ahead. With it each process is a machine of its own, so that only the
   * end of a lease shows that another one is dead.
   */
  clocks?: number[]
  cloud?: Partial<CloudOptions>
}

export interface Cluster {
  cloud: Cloud
  /** Allowed folder of the servers. */
  folder: string
  machines: Machine[]
  /** Calls a tool at a running server; rejects if the server dies meanwhile. */
  call(caller: Caller, tool: string, args: Record<string, unknown>): Promise<ToolAnswer>
  /** Kills a machine with SIGKILL and starts it again. */
  killAndStart(i: number): Promise<void>
  /** The recognitions that jobs have stored, as `job text`. */
  storedRecognitions(): Promise<Set<string>>
  /** Ids of the jobs that are queued or running. */
  unfinished(): Promise<string[]>
  close(): Promise<void>
}

export interface Caller {
  token: string
  /** From 0 to 1: selects one of the running servers. */
  position: number
}

const prefix = 'chaos_'
const [, connect] = httpClients.at(-1)!

export async function startCluster({
  servers,
  workers,
  env,
  clocks,
  cloud: cloudOptions,
}: ClusterOptions): Promise<Cluster> {
  const folder = await tempFolder()
  const ffmpeg = await testFfmpeg()
  const cloud = await startCloud({ ffmpeg, ...cloudOptions })
  const settings = {
    PATH: process.env.PATH ?? '',
    ...cloudSettings(cloud),
    TABLESTORE_PREFIX: prefix,
    FFMPEG_PATH: ffmpeg,
    SPEECH_ALLOWED_DIRS: folder.path,
    SPEECH_POLL_SECONDS: '0.1',
    ...env,
  }
  await setUp(settings)
  const places = [
    ...machineFolders(join(folder.path, 'data'), 'http', servers),
    ...machineFolders(join(folder.path, 'data'), 'worker', workers),
  ]
  const roleOf = (i: number): Role => (i < servers ? 'http' : 'worker')
  const envOf = (i: number) => ({ ...settings, ...(clocks && otherMachine(i, clocks[i % clocks.length]!)) })
  const start = (i: number) => startMachine({ entry, role: roleOf(i), folder: places[i]!, env: envOf(i) })
  const machines = await Promise.all(places.map((_, i) => start(i)))
  const store = reader(cloud)
  return {
    cloud,
    folder: folder.path,
    machines,
    storedRecognitions: store.storedRecognitions,
    unfinished: store.unfinished,
    async call({ token, position }, tool, args) {
      const up = machines.slice(0, servers).filter(machine => machine.isRunning())
      const server = up[Math.floor(position * up.length)]
      if (!server) throw new Error('No server is up.')
      return Promise.race([ask({ url: server.url, token }, tool, args), goneWith(server)])
    },
    async killAndStart(i) {
      await machines[i]!.kill('SIGKILL')
      machines[i] = await start(i)
    },
    close: () => closeAll(machines, cloud, folder, store.close),
  }
}

function otherMachine(i: number, minutes: number): Record<string, string> {
  return {
    NODE_OPTIONS: `--import ${new URL('other-machine.mjs', import.meta.url)}`,
    TEST_HOST_NAME: `machine-${i}`,
    TEST_CLOCK_MS: String(60_000 * minutes),
  }
}

async function ask(access: HttpAccess, tool: string, args: Record<string, unknown>): Promise<ToolAnswer> {
  const client = await connect(access)
  try {
    const { isError, content, structuredContent } = await client.call(tool, args)
    return { isError: isError === true, text: content[0]?.text ?? '', data: structuredContent }
  } finally {
    await client.close().catch(() => {})
  }
}

/** A client whose stream broke waits for its answer on another one, so the death of the server rejects the call. */
async function goneWith(server: Machine): Promise<never> {
  await server.exited
  throw new Error('The server is gone.')
}

async function closeAll(machines: Machine[], cloud: Cloud, folder: TempFolder, closeReader: () => void) {
  await Promise.all(machines.map(machine => machine.kill('SIGKILL')))
  closeReader()
  await cloud.close()
  await folder.remove()
}

async function setUp(settings: Record<string, string>): Promise<void> {
  const app = await createApp(readConfig(settings))
  const { signal } = new AbortController()
  await Promise.all([app.setUpStore?.(signal), app.setUpQueue?.(signal)])
  await app.close()
}

/** Looks into the tables past everybody. */
function reader({ tablestore }: Cloud) {
  const { endpoint, instance, accessKeyId, accessKeySecret } = tablestore
  const key = { accessKeyId, accessKeySecret }
  const line = createRequests({ endpoint, instance, key, firstDelaySeconds: 0.01 })
  const rows = createRows(line, prefix)
  const texts = createLargeValues(rows)
  return {
    close: line.close,
    async storedRecognitions() {
      const found = new Set<string>()
      for await (const page of rows.range('checkpoints', { within: {} }, 100_000))
        for (const row of page) {
          const { by, text } = JSON.parse(String(await texts.read(row))) as { by?: string; text?: string }
          if (by !== undefined && text !== undefined) found.add(`${by} ${text}`)
        }
      return found
    },
    async unfinished() {
      const found: { id: string; state: string }[] = []
      for await (const page of rows.range('jobs', { within: {} }, 100_000))
        for (const row of page) found.push(JSON.parse(String(row.body)))
      return found.filter(({ state }) => /^(?:queued|running)$/.test(state)).map(({ id }) => id)
    },
  }
}
