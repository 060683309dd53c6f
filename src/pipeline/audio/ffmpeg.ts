// Runs ffmpeg: no shell, no terminal, killed when the order is cancelled, its words kept out of every message.
import { type ChildProcess, spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { cancelled, SpeechError } from '../../domain/errors.ts'

/** Where to find ffmpeg; throws `FFMPEG_MISSING` with the ways to get one. */
export type LocateFfmpeg = () => Promise<string>

export interface FfmpegProcess {
  stdin: Writable
  stdout: Readable
  /** What it writes to `pipe:3`, for a second output. */
  pipe3: Readable
  /** What ffmpeg has said so far: the beginning and the end of it, for our eyes only. */
  stderr(): string
  /** Resolves with the exit code when the process has ended and its pipes are closed; rejects if it never started. */
  ended: Promise<number>
  kill(): void
}

/** Stands for the exit code of a process that was killed. */
export const killedExitCode = -1

const keptBytes = 32_768

/** Starts ffmpeg with these arguments. The signal kills it. */
export function startFfmpeg(path: string, args: string[], signal: AbortSignal): FfmpegProcess {
  if (signal.aborted) throw cancelled(signal.reason)
  const child = spawn(path, ['-hide_banner', '-nostats', ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
  const kill = () => void child.kill('SIGKILL')
  // Where the system has no handles left, Node gives a process without pipes.
  if (!child.stdin || !child.stdout || !child.stderr)
    throw new SpeechError('FFMPEG_FAILED', 'ffmpeg could not be started: the system is out of handles.', {
      hint: 'Wait for other calls to end, and call again.',
    })
  giveWay(child.pid)
  signal.addEventListener('abort', kill, { once: true })
  const ended = outcome(child).finally(() => signal.removeEventListener('abort', kill))
  // Both are watched by whoever uses the process; a failure must not also end the server.
  ended.catch(() => {})
  child.stdin.on('error', () => {})
  child.stdio[3]?.on('error', () => {})
  const pipe3 = child.stdio[3] as Readable
  return { stdin: child.stdin, stdout: child.stdout, pipe3, stderr: keepWords(child.stderr), ended, kill }
}

/** Where the cores are busy, whoever asks the server something is answered before the next chunk is encoded. */
function giveWay(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It has ended already, or the system does not allow it.
  }
}

export async function readAll(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces)
}

function outcome(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', cause =>
      reject(
        new SpeechError('FFMPEG_MISSING', 'ffmpeg could not be started.', {
          hint: 'Run `speech-mcp doctor` to see which one is used and what is wrong with it.',
          cause,
        }),
      ),
    )
    // No code: it was killed.
    child.once('close', code => resolve(code ?? killedExitCode))
  })
}

/** Keeps the first and the last words: the header tells what the file is, the end what went wrong. */
function keepWords(stderr: Readable): () => string {
  let head = ''
  let tail = ''
  stderr.setEncoding('utf8')
  stderr.on('data', (text: string) => {
    const room = keptBytes - head.length
    head += text.slice(0, room)
    if (text.length > room) tail = (tail + text.slice(Math.max(0, room))).slice(-keptBytes)
  })
  return () => head + tail
}
