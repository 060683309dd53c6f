// The machines of a team, each a child process: HTTP servers and workers, every one with its own data folder.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Cloud } from '../emulators/cloud.ts'
import { SpeechError } from '../src/domain/errors.ts'

export type Role = 'http' | 'worker'

export interface Machine {
  role: Role
  pid: number
  /** The MCP endpoint of a server, or the health endpoint of a worker. */
  url: string
  isRunning(): boolean
  /** Resolves with the exit code, or with null if a signal ended the process. */
  exited: Promise<number | null>
  /** Everything the process has written to stderr so far. */
  stderr(): string
  /** Sends the signal, and resolves as `exited` does. */
  kill(signal: NodeJS.Signals): Promise<number | null>
}

export interface MachineSpec {
  /** The built `main.js`. */
  entry: string
  role: Role
  /** Data folder; no other machine sees it. */
  folder: string
  env: Record<string, string>
}

/** Resolves when the machine is ready. Throws if it exits before. */
export async function startMachine({ entry, role, folder, env }: MachineSpec): Promise<Machine> {
  const child = spawn(process.execPath, [entry, role], {
    env: { ...env, SPEECH_DATA_DIR: folder, SPEECH_HTTP_PORT: '0', SPEECH_WORKER_PORT: '0' },
    windowsHide: true,
    // A process group of its own: Ctrl-C reaches it only through this process.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  // Ends with this process, even if that exits unexpectedly.
  const killWithParent = () => void child.kill('SIGKILL')
  process.once('exit', killWithParent)
  exited.then(
    () => process.off('exit', killWithParent),
    () => {},
  )
  const output = readOutput(child)
  const url = await Promise.race([output.firstUrl, exited.then(() => undefined)])
  if (url === undefined)
    throw new SpeechError('INTERNAL', `\`speech-mcp ${role}\` exited before it was ready.`, {
      hint: output.stderr().trim().split('\n').at(-1) ?? '',
    })
  return {
    role,
    url,
    pid: child.pid!,
    stderr: output.stderr,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    kill(signal) {
      child.kill(signal)
      return exited
    },
  }
}

/** Collects stderr, and resolves `firstUrl` with the first address in it. Never resolves it if there is none. */
export function readOutput(child: ChildProcess): { stderr(): string; firstUrl: Promise<string> } {
  let text = ''
  const firstUrl = new Promise<string>(resolve => {
    child.stderr!.setEncoding('utf8').on('data', piece => {
      text += piece
      const found = /\bhttp:\/\/[^\s"),;]+(?=[\s"),;])/.exec(text)?.[0]
      if (found !== undefined) resolve(found.replace(/\.$/, ''))
    })
  })
  return { stderr: () => text, firstUrl }
}

/** Number of jobs that a worker runs at this moment; undefined if it does not answer. */
export async function activeJobs({ url }: Machine): Promise<number | undefined> {
  try {
    const response = await fetch(new URL('/healthz', url))
    const { jobs } = (await response.json()) as { jobs?: number }
    return jobs
  } catch {
    return undefined
  }
}

/** Settings that all machines of a team share: endpoints and keys of the cloud. */
export function cloudSettings({ dashscope, oss, tablestore, mns }: Cloud): Record<string, string> {
  return {
    DASHSCOPE_BASE_URL: dashscope.url,
    DASHSCOPE_API_KEY: dashscope.apiKey,
    GEMINI_BASE_URL: dashscope.geminiUrl,
    GEMINI_API_KEY: dashscope.geminiKey,
    OSS_ENDPOINT: oss.endpoint,
    OSS_REGION: oss.region,
    OSS_BUCKET: oss.bucket,
    TABLESTORE_ENDPOINT: tablestore.endpoint,
    TABLESTORE_INSTANCE: tablestore.instance,
    MNS_ENDPOINT: mns.endpoint,
    ALIBABA_ACCESS_KEY: tablestore.accessKeyId,
    ALIBABA_SECRET_KEY: tablestore.accessKeySecret,
  }
}

/** Data folders for `count` machines of one role, inside `folder`. */
export function machineFolders(folder: string, role: Role, count: number): string[] {
  return Array.from({ length: count }, (_, i) => join(folder, `${role}-${i + 1}`))
}
