// A whole system for a test: the stand-in cloud, the built server as a process of its own, and a real MCP client.
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
/** What users start; `npm test` builds it first. */
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

/** Words as they can be compared: line breaks and runs of blanks are one blank. */
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
  /** Gives the server a bucket of the stand-in; otherwise it has none. */
  bucket?: boolean
  standin?: Partial<DashscopeOptions>
  env?: Record<string, string>
}

export interface ToolAnswer {
  isError: boolean
  /** The text block. */
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely
  data: any
}

export interface System {
  standin: DashscopeEmulator
  client: Client
  pid: number
  /** The server's environment, for a client of another kind. */
  env: Record<string, string>
  /** Scratch space of the test, open to the server. */
  folder: string
  call(
    tool: string,
    args: Record<string, unknown>,
    options?: Parameters<Client['callTool']>[2],
  ): Promise<ToolAnswer>
  close(): Promise<void>
}

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const { standin: wishes, env: more, bucket = false } = options
  const ffmpeg = await testFfmpeg()
  const standin = await startDashscope({ ffmpeg, ...(bucket ? { oss: true } : {}), ...wishes })
  const folder = await tempFolder()
  const env = {
    PATH: process.env.PATH ?? '',
    DASHSCOPE_BASE_URL: standin.url,
    DASHSCOPE_API_KEY: standin.apiKey,
    GEMINI_BASE_URL: standin.geminiUrl,
    GEMINI_API_KEY: standin.geminiKey,
    SPEECH_DATA_DIR: join(folder.path, 'data'),
    SPEECH_ALLOWED_DIRS: [join(root, 'fixtures'), folder.path].join(':'),
    FFMPEG_PATH: ffmpeg,
    SPEECH_POLL_SECONDS: '0.05',
    ...(bucket ? bucketSettings(standin) : {}),
    ...more,
  }
  const transport = new StdioClientTransport({ command: process.execPath, args: [entry], env })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(transport)
  return {
    standin,
    client,
    pid: transport.pid!,
    env,
    folder: folder.path,
    async call(tool, args, options) {
      const result = await client.callTool({ name: tool, arguments: args }, undefined, options)
      const [block] = result.content as { text: string }[]
      return { isError: result.isError === true, text: block?.text ?? '', data: result.structuredContent }
    },
    async close() {
      await client.close()
      await standin.close()
      await folder.remove()
    },
  }
}

/** What tells a server of the stand-in's bucket. */
export function bucketSettings({ oss }: DashscopeEmulator): Record<string, string> {
  if (!oss) throw new Error('The stand-in was started without OSS.')
  return {
    OSS_BUCKET: oss.bucket,
    OSS_ENDPOINT: oss.endpoint,
    OSS_REGION: oss.region,
    ALIBABA_ACCESS_KEY: oss.accessKeyId,
    ALIBABA_SECRET_KEY: oss.accessKeySecret,
  }
}

export interface HttpServer {
  /** Where MCP is. */
  url: string
  child: ChildProcess
  /** All that it has said on stderr so far. */
  said(): string
  /** Asks it to stop, and resolves with its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `speech-mcp http` on a free port, with the environment of a system. */
export async function startHttpServer(env: Record<string, string>): Promise<HttpServer> {
  const child = spawn(process.execPath, [entry, 'http'], {
    env: { ...env, SPEECH_HTTP_PORT: '0' },
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
    said: () => said,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return (await ended)[0]
    },
  }
}
