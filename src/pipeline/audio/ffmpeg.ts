// Runs ffmpeg without a shell or terminal; kills it on abort and keeps its output out of messages.
import { type ChildProcess, spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { cancelled, SpeechError } from '../../domain/errors.ts'
import { childEnvironment } from '../../system/child-environment.ts'

/** Returns the path of ffmpeg; throws `FFMPEG_MISSING` with the ways to install it. */
export type LocateFfmpeg = () => Promise<string>

export interface FfmpegProcess {
  stdin: Writable
  stdout: Readable
  /** A second output, written to `pipe:3`. */
  pipe3: Readable
  /** The beginning and the end of stderr so far; for parsing, never for messages. */
  stderr(): string
  /** Resolves with the exit code when the process has ended and its pipes are closed; rejects if it never started. */
  ended: Promise<number>
  kill(): void
}

/** Replaces the exit code of a process that was killed. */
export const killedExitCode = -1

/** Kept of the beginning of stderr, and of its end. */
const keptStderrChars = 32_768

/** Starts ffmpeg with these arguments. The signal kills it. */
export function startFfmpeg(path: string, args: string[], signal: AbortSignal): FfmpegProcess {
  if (signal.aborted) throw cancelled(signal.reason)
  const child = spawn(path, ['-hide_banner', '-nostats', ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: childEnvironment(),
    windowsHide: true,
  })
  const kill = () => void child.kill('SIGKILL')
  // Without free handles in the system, Node returns a process without pipes.
  if (!child.stdin || !child.stdout || !child.stderr)
    throw new SpeechError('FFMPEG_FAILED', 'ffmpeg could not be started: the system is out of handles.', {
      hint: 'Wait for other calls to end, and call again.',
    })
  lowerPriority(child.pid)
  signal.addEventListener('abort', kill, { once: true })
  const ended = exitCode(child).finally(() => signal.removeEventListener('abort', kill))
  // The caller handles both; a failure must not also end the server.
  ended.catch(() => {})
  child.stdin.on('error', () => {})
  child.stdio[3]?.on('error', () => {})
  const pipe3 = child.stdio[3] as Readable
  return { stdin: child.stdin, stdout: child.stdout, pipe3, stderr: captureStderr(child.stderr), ended, kill }
}

/** On busy cores, requests to the server come before the next chunk. */
function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // The process has already ended, or the system does not allow it.
  }
}

export async function readAll(stream: Readable): Promise<Buffer> {
  const buffers: Buffer[] = []
  for await (const buffer of stream as AsyncIterable<Buffer>) buffers.push(buffer)
  return Buffer.concat(buffers)
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', cause =>
      reject(
        new SpeechError('FFMPEG_MISSING', 'ffmpeg could not be started.', {
          hint: 'Run `speech-mcp doctor` to see which ffmpeg is used and why it fails.',
          cause,
        }),
      ),
    )
    // The code is null for a killed process.
    child.once('close', code => resolve(code ?? killedExitCode))
  })
}

/** Keeps the beginning, which describes the file, and the end, which holds the errors. */
function captureStderr(stderr: Readable): () => string {
  let head = ''
  let tail = ''
  stderr.setEncoding('utf8')
  stderr.on('data', (text: string) => {
    const room = keptStderrChars - head.length
    head += text.slice(0, room)
    if (text.length > room) tail = (tail + text.slice(Math.max(0, room))).slice(-keptStderrChars)
  })
  return () => head + tail
}
