// A complete system for a test: emulated provider, the built server as a process, and a real MCP client.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  type DashscopeEmulator,
  type DashscopeOptions,
  startDashscope,
} from '../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../audio/ffmpeg.ts'

export const root = fileURLToPath(new URL('../../..', import.meta.url))
/** The built program. */
export const entry = join(root, 'dist', 'main.js')
export const fixture = (name: string) => join(root, 'fixtures', name)

export interface Truth {
  recording: string
  language: string
  duration: number
  joiner: string
  words: { text: string; start: number; end: number; speaker: string }[]
}

export function truth(name: string): Truth {
  return JSON.parse(readFileSync(fixture(`${name}.truth.json`), 'utf8')) as Truth
}

export function truthText({ words, joiner }: Truth): string {
  return words.map(({ text }) => text).join(joiner)
}

/** Collapses whitespace for comparisons. */
export function plainWords(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

export interface TempFolder {
  path: string
  remove(): Promise<void>
}

export async function tempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), 'speech-mcp-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

export interface SystemOptions {
  /** Gives the server a bucket of the emulator; otherwise it has none. */
  bucket?: boolean
  dashscope?: Partial<DashscopeOptions>
  env?: Record<string, string>
  /** Starts the server in the process of the test. */
  isHere?: boolean
}

export interface ToolAnswer {
  isError: boolean
  /** Text of the result. */
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely
  data: any
}

export interface System {
  dashscope: DashscopeEmulator
  client: Client
  pid: number
  /** The server's environment, for another client. */
  env: Record<string, string>
  /** Folder of the test, readable by the server. */
  folder: string
  call(
    tool: string,
    args: Record<string, unknown>,
    options?: Parameters<Client['callTool']>[2],
  ): Promise<ToolAnswer>
  close(): Promise<void>
}

/** Of a client's call: longer than any `wait_seconds` of a test, so that a busy machine is no failure. */
const timeout = 300_000

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const { dashscope: dashscopeOptions, env: more, bucket = false, isHere = false } = options
  const ffmpeg = await testFfmpeg()
  const dashscope = await startDashscope({ ffmpeg, ...(bucket ? { oss: true } : {}), ...dashscopeOptions })
  const folder = await tempFolder()
  const env = {
    PATH: process.env.PATH ?? '',
    DASHSCOPE_BASE_URL: dashscope.url,
    DASHSCOPE_API_KEY: dashscope.apiKey,
    GEMINI_BASE_URL: dashscope.geminiUrl,
    GEMINI_API_KEY: dashscope.geminiKey,
    SPEECH_DATA_DIR: join(folder.path, 'data'),
    SPEECH_ALLOWED_DIRS: [join(root, 'fixtures'), folder.path].join(':'),
    FFMPEG_PATH: ffmpeg,
    SPEECH_POLL_SECONDS: '0.05',
    ...(bucket ? bucketSettings(dashscope) : {}),
    ...more,
  }
  const { client, pid, close } = await (isHere ? serverHere(env) : startServer(env))
  return {
    dashscope,
    client,
    pid,
    env,
    folder: folder.path,
    async call(tool, args, options) {
      const result = await client.callTool({ name: tool, arguments: args }, undefined, {
        timeout,
        ...options,
      })
      const [block] = result.content as { text: string }[]
      return { isError: result.isError === true, text: block?.text ?? '', data: result.structuredContent }
    },
    async close() {
      await close()
      await dashscope.close()
      await folder.remove()
    },
  }
}

async function startServer(env: Record<string, string>) {
  const transport = new StdioClientTransport({ command: process.execPath, args: [entry], env })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(transport)
  return { client, pid: transport.pid!, close: () => client.close() }
}

async function serverHere(env: Record<string, string>) {
  const { startServerHere } = await import('./server-here.ts')
  return { ...(await startServerHere(env)), pid: process.pid }
}

/** Settings for the emulator's bucket. */
export function bucketSettings({ oss }: DashscopeEmulator): Record<string, string> {
  if (!oss) throw new Error('The emulator was started without OSS.')
  return {
    OSS_BUCKET: oss.bucket,
    OSS_ENDPOINT: oss.endpoint,
    OSS_REGION: oss.region,
    ALIBABA_ACCESS_KEY: oss.accessKeyId,
    ALIBABA_SECRET_KEY: oss.accessKeySecret,
  }
}

export interface HttpServer {
  /** URL of the MCP endpoint. */
  url: string
  child: ChildProcess
  /** Its output on stderr so far. */
  stderr(): string
  /** Sends a signal and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `speech-mcp http` with the environment of a system; by default on a free port. */
export async function startHttpServer(env: Record<string, string>, port = '0'): Promise<HttpServer> {
  const child = spawn(process.execPath, [entry, 'http'], {
    env: { ...env, SPEECH_HTTP_PORT: port },
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  const ended = once(child, 'exit') as Promise<[number | null]>
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', piece => {
      said += piece
      const found = /serves (http\S+)/.exec(said)?.[1]
      if (found) resolve(found)
    })
    ended.then(() => reject(new Error(`The server ended: ${said}`)), reject)
  })
  return {
    url,
    child,
    stderr: () => said,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return (await ended)[0]
    },
  }
}
