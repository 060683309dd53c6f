// Runs the built command as a shell would, but without one; and all that it needs around it.
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
import { silentWav } from './requests.ts'
import { entry, tempFolder } from './system.ts'

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

export interface Running {
  child: ChildProcess
  outcome: Promise<Outcome>
}

export interface CommandOptions {
  /** Beside the desk's own. */
  env?: Record<string, string>
  /** What to start in place of the built `main.js`. */
  main?: string
  /** What comes in on stdin; `open`: whatever the test writes there. Otherwise there is nothing. */
  input?: string | Uint8Array | { open: true }
}

/** A person at a terminal: a home folder, a folder to work in, and the settings. */
export interface Desk {
  standin: DashscopeEmulator
  env: Record<string, string>
  /** The folder that commands run in; it lies outside the home folder, and `silence.wav` in it. */
  work: string
  start(args: string[], options?: CommandOptions): Running
  run(args: string[], options?: CommandOptions): Promise<Outcome>
  close(): Promise<void>
}

export async function openDesk(wishes: Partial<DashscopeOptions> = {}): Promise<Desk> {
  const [home, work, ffmpeg] = await Promise.all([tempFolder(), tempFolder(), testFfmpeg()])
  const standin = await startDashscope({ ffmpeg, ...wishes })
  await writeFile(join(work.path, 'silence.wav'), silentWav())
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home.path,
    DASHSCOPE_BASE_URL: standin.url,
    DASHSCOPE_API_KEY: standin.apiKey,
    SPEECH_DATA_DIR: join(home.path, 'data'),
    FFMPEG_PATH: ffmpeg,
    SPEECH_POLL_SECONDS: '0.05',
  }
  const start: Desk['start'] = (args, { env: more, main = entry, input } = {}) => {
    const child = spawn(process.execPath, [main, ...args], {
      env: { ...env, ...more },
      cwd: work.path,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    // Whoever has read enough is gone before the rest is written.
    child.stdin?.on('error', () => {})
    if (typeof input === 'string' || input instanceof Uint8Array) child.stdin?.end(input)
    const code = new Promise<number | null>(resolve => child.once('close', resolve))
    const outcome = Promise.all([code, text(child.stdout!), text(child.stderr!)])
    return { child, outcome: outcome.then(([code, stdout, stderr]) => ({ code, stdout, stderr })) }
  }
  return {
    standin,
    env,
    work: work.path,
    start,
    run: (args, options) => start(args, options).outcome,
    async close() {
      await Promise.all([standin.close(), home.remove(), work.remove()])
    },
  }
}
