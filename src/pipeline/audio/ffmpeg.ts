// Runs ffmpeg: kills it on abort or when it hangs, and keeps its output out of messages.
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { cancelled, SpeechError } from '../../domain/errors.ts'
import { deadlines } from '../../domain/network/deadlines.ts'
import { killedExitCode, startGroup } from '../../system/child-process.ts'
import { freeYoungBuffers } from '../../system/small-heap.ts'

export interface Ffmpeg {
  path: string
  /** Without a byte for this long, though its output is awaited, it hangs. Default: a minute. */
  maxSilentMs?: number
  noteDecoders?: NoteDecoders
}

/** Decoders of voice notes, one of which may wait for its file. */
export interface NoteDecoders {
  /** The decoder that waits for such a file, told to go on with this one; undefined if there is none. */
  take(ffmpeg: Ffmpeg, note: NoteInput, signal: AbortSignal): FfmpegProcess | undefined
  /** After some that brought nothing, where a new one did, none waits again. */
  noteFailure(): void
}

export interface NoteInput {
  file: string
  /** Arguments that decode the file at this path. */
  argumentsFor(file: string): string[]
}

/** Throws `FFMPEG_MISSING` with the ways to install it. */
export type LocateFfmpeg = () => Promise<Ffmpeg>

export interface FfmpegProcess {
  stdin: Writable
  /** Can be read once. Throws `FFMPEG_HUNG`. */
  stdout: AsyncIterable<Buffer>
  /** A second output, written to `pipe:3`. */
  pipe3: Readable
  /** The beginning and the end of stderr so far; for parsing, never for messages. */
  stderr(): string
  /** Resolves with the exit code. Rejects if it never started, and with `FFMPEG_HUNG`. */
  ended: Promise<number>
  kill(): void
}

/** Kept of the beginning of stderr, and of its end. */
const keptStderrChars = 32_768
const drainMs = 1_000
/** Of sound that has passed, and waits to be collected as garbage: half a minute. */
const maxUnfreedBytes = 1 << 20
/** ffmpeg's own, where another program's signal has ended it. */
const interruptedExitCode = 255

/** How soon its work is needed: at once, for a voice note, or for a long recording. */
export type Urgency = 'now' | 'note' | 'long'

/** Starts ffmpeg with these arguments. The signal kills it. */
export function startFfmpeg(
  { path, maxSilentMs = deadlines.ffmpeg.idleSeconds * 1000 }: Ffmpeg,
  args: string[],
  signal: AbortSignal,
  urgency: Urgency = 'long',
): FfmpegProcess {
  if (signal.aborted) throw cancelled(signal.reason)
  const stdio = Array.from({ length: 4 }, () => 'pipe' as const)
  const { child, kill, ended: exited } = startGroup(path, ['-hide_banner', '-nostats', ...args], stdio)
  const { pid, stdin, stdout, stderr } = child
  // Without free handles in the system, Node returns a process without pipes.
  if (!stdin || !stdout || !stderr)
    throw new SpeechError('FFMPEG_FAILED', 'ffmpeg could not be started: the system is out of handles.', {
      hint: 'Wait for other calls to end, and call again.',
    })
  const pipe3 = child.stdio[3] as Readable
  const hang = new AbortController()
  if (urgency !== 'now') lowerPriority(pid, urgency)
  signal.addEventListener('abort', abort, { once: true })
  for (const stream of [stdin, pipe3]) stream.on('error', () => {})
  stdout.once('close', () => void patiently(exited).catch(() => {}))
  const ended = new Promise<number>((resolve, reject) => {
    hang.signal.addEventListener('abort', () => reject(hang.signal.reason))
    exited.then(
      code => resolve(code === interruptedExitCode ? killedExitCode : code),
      cause => reject(notStarted(cause)),
    )
  }).finally(() => signal.removeEventListener('abort', abort))
  let hasExited = false
  let onExit = (): unknown => undefined
  exited
    .catch(() => {})
    .finally(() => {
      hasExited = true
      onExit()
    })
  // The caller handles both; a failure must not also end the server.
  ended.catch(() => {})

  /** Waits for a sign of life. */
  async function patiently<T>(wait: Promise<T>): Promise<T> {
    let wasSilent = false
    // In halves: after this process itself was asleep, the first one says nothing.
    const timer = setInterval(() => {
      const needsInput = stdin!.writable && stdin!.writableLength === 0
      if (wasSilent && !needsInput) endHung()
      wasSilent = !needsInput
    }, maxSilentMs / 2)
    try {
      return await wait
    } finally {
      clearInterval(timer)
    }
  }

  function endHung(): void {
    kill()
    hang.abort(hung(maxSilentMs))
    closePipes()
  }

  function abort(): void {
    kill()
    void exited.catch(() => {}).then(closePipes)
  }

  /** A program that has left the group may hold them open. */
  function closePipes(): void {
    for (const stream of child.stdio) stream?.destroy()
  }

  /** After the exit, a program that has left the group may hold the pipes open: a second without data is their end. */
  async function untilSilent(next: Promise<IteratorResult<Buffer>>): Promise<IteratorResult<Buffer>> {
    let timer: NodeJS.Timeout | undefined
    const silent = new Promise<IteratorResult<Buffer>>(resolve => {
      const end = () => {
        pipe3.push(null)
        resolve({ done: true, value: undefined })
      }
      // After a timer, data that has arrived meanwhile is read before an immediate.
      onExit = () => (timer ??= setTimeout(setImmediate, drainMs, () => timer && end()))
    })
    if (hasExited) onExit()
    try {
      return await Promise.race([next, silent])
    } finally {
      clearTimeout(timer)
      timer = undefined
    }
  }

  async function* read(): AsyncGenerator<Buffer> {
    const buffers = stdout![Symbol.asyncIterator]() as AsyncIterator<Buffer>
    let unfreed = 0
    try {
      for (;;) {
        const { value, done } = await patiently(untilSilent(buffers.next()))
        if (done) return
        yield value
        unfreed += value.length
        if (unfreed < maxUnfreedBytes) continue
        freeYoungBuffers()
        unfreed = 0
      }
    } catch (error) {
      throw hang.signal.reason ?? error
    } finally {
      stdout!.destroy()
    }
  }

  return { stdin, stdout: read(), pipe3, stderr: captureStderr(stderr), ended, kill }
}

/** The server is served first, then voice notes, then the hour. */
const priorities = { note: 10, long: 15 }
/**
 * Of a session. Two voice notes weigh a fifth of a usual session, as do the hour's decoder and two encoders: with more,
 * the clients of a busy server wait for them; with less, they wait for all other programs.
 */
const sessionPriorities = { note: 10, long: 12 }
/** Linux takes the priority of one session in a tenth of a second from users without rights. */
const sessionRetryMs = 150

/** On busy cores, requests to the server come before the next chunk. */
function lowerPriority(pid: number | undefined, urgency: 'note' | 'long'): void {
  if (pid === undefined) return
  try {
    setPriority(pid, priorities[urgency])
  } catch {
    // The process has already ended, or the system does not allow it.
  }
  if (process.platform === 'linux') lowerSession(pid, sessionPriorities[urgency])
}

/** Linux shares its cores among sessions first, and a process group of its own is a session of its own. */
function lowerSession(pid: number, priority: number, tries = 10): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(priority))
  } catch (error) {
    const isTooSoon = (error as NodeJS.ErrnoException).code === 'EAGAIN'
    if (isTooSoon && tries > 1) setTimeout(lowerSession, sessionRetryMs, pid, priority, tries - 1).unref()
  }
}

export async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const buffers: Buffer[] = []
  for await (const buffer of stream) buffers.push(buffer)
  return Buffer.concat(buffers)
}

function notStarted(cause: unknown): SpeechError {
  return new SpeechError('FFMPEG_MISSING', 'ffmpeg could not be started.', {
    hint: 'Run `speech-mcp doctor` to see which ffmpeg is used and why it fails.',
    cause,
  })
}

function hung(silentMs: number): SpeechError {
  const seconds = Math.round(silentMs / 1000)
  return new SpeechError('FFMPEG_HUNG', `ffmpeg was ended because it did nothing for ${seconds} s.`, {
    hint: 'Check that the disk or share with the recording responds, and call again. If it happens again, convert the recording to another format, or set FFMPEG_PATH to another ffmpeg.',
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
