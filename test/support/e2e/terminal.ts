// Runs the program as from a terminal, with an emulated provider and folders of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import {
  type DashscopeEmulator,
  type DashscopeOptions,
  startDashscope,
} from '../../../emulators/dashscope/dashscope.ts'
import { testFfmpeg } from '../audio/ffmpeg.ts'
import { runProgramHere } from './program-here.ts'
import { silentWav } from './requests.ts'
import { entry, tempFolder } from './system.ts'

export interface CommandResult {
  code: number | null
  stdout: string
  stderr: string
}

export interface RunningCommand {
  child: ChildProcess
  result: Promise<CommandResult>
}

export interface CommandOptions {
  /** Added to the terminal's environment. */
  env?: Record<string, string>
  /** Content of stdin. Default: no stdin. */
  input?: string | Uint8Array
}

export interface ProcessOptions extends Omit<CommandOptions, 'input'> {
  /** Started instead of the built `main.js`. */
  main?: string
  /** As of a command; `open` leaves it to the test. */
  input?: CommandOptions['input'] | { open: true }
}

/** A home folder, a working folder and settings for commands. */
export interface Terminal {
  dashscope: DashscopeEmulator
  env: Record<string, string>
  /** Working folder of commands, outside the home folder; contains `silence.wav`. */
  work: string
  /** Starts the built program as a process. */
  start(args: string[], options?: ProcessOptions): RunningCommand
  /** Runs the program from source in the process of the test, which takes a tenth of a process's time. */
  run(args: string[], options?: CommandOptions): Promise<CommandResult>
  close(): Promise<void>
}

export async function openTerminal(options: Partial<DashscopeOptions> = {}): Promise<Terminal> {
  const [home, work, ffmpeg] = await Promise.all([tempFolder(), tempFolder(), testFfmpeg()])
  const dashscope = await startDashscope({ ffmpeg, ...options })
  await writeFile(join(work.path, 'silence.wav'), silentWav())
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home.path,
    DASHSCOPE_BASE_URL: dashscope.url,
    DASHSCOPE_API_KEY: dashscope.apiKey,
    SPEECH_DATA_DIR: join(home.path, 'data'),
    FFMPEG_PATH: ffmpeg,
    SPEECH_POLL_SECONDS: '0.05',
  }
  const start: Terminal['start'] = (args, { env: more, main = entry, input } = {}) => {
    const child = spawn(process.execPath, [main, ...args], {
      env: { ...env, ...more },
      cwd: work.path,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    // A command may exit before it has read all of stdin.
    child.stdin?.on('error', () => {})
    if (typeof input === 'string' || input instanceof Uint8Array) child.stdin?.end(input)
    const code = new Promise<number | null>(resolve => child.once('close', resolve))
    const ended = Promise.all([code, text(child.stdout!), text(child.stderr!)])
    return { child, result: ended.then(([code, stdout, stderr]) => ({ code, stdout, stderr })) }
  }
  return {
    dashscope,
    env,
    work: work.path,
    start,
    run: (args, { env: more, input } = {}) =>
      runProgramHere(args, { env: { ...env, ...more }, cwd: work.path, input }),
    async close() {
      await Promise.all([dashscope.close(), home.remove(), work.remove()])
    },
  }
}
