// Shared by the benchmarks: the provider, a server under test with a real client, medians, recordings.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

export const root = fileURLToPath(new URL('..', import.meta.url))

export interface Provider {
  /** Of DashScope's API. */
  url: string
  /** Of OpenAI's API. */
  openAiUrl: string
  /** Times (milliseconds since 1970) of the requests since the last `reset`. */
  requests: number[]
  /** Deliberate delays of the answers, in milliseconds. */
  delays: number[]
  reset(): void
  stop(): void
}

/** What the provider takes for a request, in milliseconds: a fixed part, and more for each second of audio. */
export interface ProviderDelay {
  baseMs: number
  perSecondMs: number
}

export async function startProvider(
  { baseMs, perSecondMs }: ProviderDelay = { baseMs: 300, perSecondMs: 4 },
): Promise<Provider> {
  const program = fileURLToPath(new URL('provider.ts', import.meta.url))
  const child: ChildProcess = fork(program, [String(baseMs), String(perSecondMs)], {
    execArgv: ['--import', 'tsx'],
  })
  const requests: number[] = []
  const delays: number[] = []
  child.on('message', (message: { event: string; at: number; delay: number }) => {
    if (message.event === 'request') requests.push(message.at)
    if (message.event === 'answer') delays.push(message.delay)
  })
  const [ready] = (await once(child, 'message')) as [{ port: number }]
  return {
    url: `http://127.0.0.1:${ready.port}/api/v1`,
    openAiUrl: `http://127.0.0.1:${ready.port}/v1`,
    requests,
    delays,
    reset: () => {
      requests.length = 0
      delays.length = 0
    },
    stop: () => child.disconnect(),
  }
}

export interface RunningServer {
  client: Client
  pid: number
  close(): Promise<void>
}

/** The program of the build in this folder. */
export function programOf(build: string): string {
  return join(build, 'dist', 'main.js')
}

export async function startServer(env: Record<string, string>, build = root): Promise<RunningServer> {
  const transport = new StdioClientTransport({ command: process.execPath, args: [programOf(build)], env })
  const client = new Client({ name: 'bench', version: '1' })
  await client.connect(transport)
  return { client, pid: transport.pid!, close: () => client.close() }
}

/** Runs the work and measures its seconds. */
export async function timed<T>(work: () => Promise<T>): Promise<[seconds: number, result: T]> {
  const started = performance.now()
  const result = await work()
  return [(performance.now() - started) / 1000, result]
}

/** Peak resident memory of a process in MiB; undefined where the system does not report it. */
export function peakMemory(pid: number): number | undefined {
  try {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
  } catch {
    return undefined
  }
}

export function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

export async function run(command: string, args: string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'ignore' })
  const [code] = (await once(child, 'exit')) as [number]
  if (code !== 0) throw new Error(`${command} ended with ${code}`)
}

/** A recording of this length: the interview and the meeting in turn, 44.1 kHz stereo, 128 kbit/s MP3. */
export async function makeRecording(ffmpeg: string, seconds: number, file: string): Promise<void> {
  const sources = ['interview.mp3', 'meeting.m4a'].flatMap(name => ['-i', join(root, 'fixtures', name)])
  const concatenation =
    '[0:a]aresample=44100[a];[1:a]aresample=44100,aformat=channel_layouts=stereo[b];[a][b]concat=n=2:v=0:a=1'
  const pair = `${file}.pair.mp3`
  const encoded = ['-filter_complex', concatenation, '-ar', '44100', '-b:a', '128k', pair]
  await run(ffmpeg, ['-nostdin', '-y', ...sources, ...encoded])
  // Encoded once and repeated as it is: encoding four hours would take minutes.
  const repeated = ['-stream_loop', '-1', '-i', pair, '-t', String(seconds), '-c', 'copy', file]
  await run(ffmpeg, ['-nostdin', '-y', ...repeated])
}
