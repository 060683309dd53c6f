// The machines of a team as processes of this one: servers in front and workers, each with a folder of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Cloud } from '../emulators/cloud.ts'
import { SpeechError } from '../src/domain/errors.ts'

export type Role = 'http' | 'worker'

export interface Machine {
  role: Role
  pid: number
  /** Of a server, where MCP is; of a worker, where it tells its health. */
  url: string
  /** True until its process has ended. */
  isRunning(): boolean
  /** Resolves when it has, with the exit code; null where a signal has ended it. */
  ended: Promise<number | null>
  /** All that it has said on stderr so far. */
  stderr(): string
  /** Sends the signal, and resolves as `ended` does. */
  kill(signal: NodeJS.Signals): Promise<number | null>
}

export interface MachineSpec {
  /** What to start: the built `main.js`. */
  entry: string
  role: Role
  /** Where its data lie; no other machine sees them. */
  folder: string
  env: Record<string, string>
}

/** Resolves when it is ready. Throws where it ends before. */
export async function startMachine({ entry, role, folder, env }: MachineSpec): Promise<Machine> {
  const child = spawn(process.execPath, [entry, role], {
    env: { ...env, SPEECH_DATA_DIR: folder, SPEECH_HTTP_PORT: '0', SPEECH_WORKER_PORT: '0' },
    windowsHide: true,
    // In a group of its own: Ctrl-C reaches it through us alone.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  // Also an exit that nobody foresaw takes it along.
  const endWithUs = () => void child.kill('SIGKILL')
  process.once('exit', endWithUs)
  ended.then(
    () => process.off('exit', endWithUs),
    () => {},
  )
  const voice = listenTo(child)
  const url = await Promise.race([voice.address, ended.then(() => undefined)])
  if (url === undefined)
    throw new SpeechError('INTERNAL', `\`speech-mcp ${role}\` ended before it was ready.`, {
      hint: voice.said().trim().split('\n').at(-1) ?? '',
    })
  return {
    role,
    url,
    pid: child.pid!,
    stderr: voice.said,
    ended,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    kill(signal) {
      child.kill(signal)
      return ended
    },
  }
}

/** Names the first address that it says, as soon as it says it. */
function listenTo(child: ChildProcess): { said(): string; address: Promise<string> } {
  let said = ''
  const address = new Promise<string>(resolve => {
    child.stderr!.setEncoding('utf8').on('data', piece => {
      said += piece
      const found = /\bhttp:\/\/[^\s"),;]+(?=[\s"),;])/.exec(said)?.[0]
      if (found !== undefined) resolve(found.replace(/\.$/, ''))
    })
  })
  return { said: () => said, address }
}

/** How many recordings a worker works on at this moment; undefined where it does not answer. */
export async function activeJobs({ url }: Machine): Promise<number | undefined> {
  try {
    const response = await fetch(new URL('/healthz', url))
    const { jobs } = (await response.json()) as { jobs?: number }
    return jobs
  } catch {
    return undefined
  }
}

/** What all machines of a team are told, and no folder. */
export function cloudSettings({ models, oss, tables, mns }: Cloud): Record<string, string> {
  return {
    DASHSCOPE_BASE_URL: models.url,
    DASHSCOPE_API_KEY: models.apiKey,
    GEMINI_BASE_URL: models.geminiUrl,
    GEMINI_API_KEY: models.geminiKey,
    OSS_ENDPOINT: oss.endpoint,
    OSS_REGION: oss.region,
    OSS_BUCKET: oss.bucket,
    TABLESTORE_ENDPOINT: tables.endpoint,
    TABLESTORE_INSTANCE: tables.instance,
    MNS_ENDPOINT: mns.endpoint,
    ALIBABA_ACCESS_KEY: tables.accessKeyId,
    ALIBABA_SECRET_KEY: tables.accessKeySecret,
  }
}

/** Folders of so many machines, within one. */
export function machineFolders(folder: string, role: Role, count: number): string[] {
  return Array.from({ length: count }, (_, i) => join(folder, `${role}-${i + 1}`))
}
