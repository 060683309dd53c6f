// Starts programs as process groups, so that a program ends with everything that it has started itself.
import { type ChildProcess, execFile, type StdioOptions, spawn, spawnSync } from 'node:child_process'
import type { Readable } from 'node:stream'
import { childEnvironment } from './child-environment.ts'
import { createWatchdog } from './watchdog.ts'

export interface ProcessGroup {
  child: ChildProcess
  /**
   * Resolves with the exit code when the program itself has ended and its stderr was read: a program that it started
   * may hold the pipes open. Rejects if it never started.
   */
  ended: Promise<number>
  /** Asks the whole group to end, and ends it by force a second later. */
  kill(): void
}

/** Replaces the exit code of a process that was killed, or whose wrapper says so. */
export const killedExitCode = -1
/** A shell adds the number of the signal. */
const signalExitCode = 128
const maxSignal = 31

const isWindows = process.platform === 'win32'
const terminationMs = 1_000
const drainMs = 1_000

/** Runs without a shell or terminal. */
export function startGroup(path: string, args: string[], stdio: StdioOptions): ProcessGroup {
  const child = spawnLiving(path, args, stdio)
  const { pid } = child
  let force: NodeJS.Timeout | undefined
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => {
      const isKilled = code === null || (code > signalExitCode && code <= signalExitCode + maxSignal)
      resolve(isKilled ? killedExitCode : code)
    })
  })
  const ended = exited
    .finally(() => {
      clearTimeout(force)
      if (pid === undefined) return
      // A wrapper may end before the program that it has started; on Windows nothing leads from one to the other.
      if (!isWindows) signalGroup(pid, 'SIGKILL')
      removeLiving(pid)
    })
    .then(async code => {
      await drained(child.stderr)
      return code
    })
  // The caller handles it later; until then it must not end the server.
  ended.catch(() => {})
  return {
    child,
    ended,
    kill() {
      if (pid === undefined || !living.has(pid) || force) return
      force = setTimeout(signalGroup, terminationMs, pid, 'SIGKILL')
      signalGroup(pid, 'SIGTERM')
    },
  }
}

/** Resolves with the output of a program that ends within the time. Rejects if it fails, or after the time. */
export async function readProgram(path: string, args: string[], timeoutMs: number): Promise<Buffer> {
  const { child, ended, kill } = startGroup(path, args, ['ignore', 'pipe', 'ignore'])
  const output: Buffer[] = []
  child.stdout?.on('data', (buffer: Buffer) => output.push(buffer))
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It did not end in time.')), timeoutMs)
  })
  try {
    const code = await Promise.race([ended, timeUp])
    await drained(child.stdout)
    if (code !== 0) throw new Error(`It ended with code ${code}.`)
    return Buffer.concat(output)
  } finally {
    clearTimeout(timer)
    kill()
    child.stdout?.destroy()
  }
}

/** Resolves when a stream that is being read has ended, or after a second. */
async function drained(stream: Readable | null): Promise<void> {
  if (!stream || stream.closed) return
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, drainMs)
    stream.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  // Windows has no groups and no gentle signal: the tree is ended at once.
  if (isWindows) return void execFile('taskkill', taskkillArguments(pid), { windowsHide: true }, () => {})
  try {
    process.kill(-pid, signal)
  } catch {
    // Nothing of it is left.
  }
}

const taskkillArguments = (pid: number) => ['/pid', String(pid), '/T', '/F']

/** Groups outlive this process unless it ends them. On Windows, the system ends them with a killed process. */
const living = new Set<number>()
const watchdog = isWindows ? undefined : createWatchdog()
const deadlySignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function spawnLiving(path: string, args: string[], stdio: StdioOptions): ChildProcess {
  watchdog?.prepare()
  // Before the program begins: a signal that comes meanwhile is handled when its id is known.
  if (living.size === 0) listen()
  try {
    // A group of its own gets no Ctrl-C from the terminal: this process ends it.
    const options = { stdio, env: childEnvironment(), windowsHide: true, detached: !isWindows }
    const child = spawn(path, args, options)
    if (child.pid !== undefined) {
      living.add(child.pid)
      watchdog?.watch(child.pid)
    }
    return child
  } finally {
    if (living.size === 0) stopListening()
  }
}

function removeLiving(pid: number): void {
  living.delete(pid)
  watchdog?.unwatch(pid)
  if (living.size === 0) stopListening()
}

function listen(): void {
  process.on('exit', killLiving)
  for (const signal of deadlySignals) process.prependListener(signal, onSignal)
}

function stopListening(): void {
  process.off('exit', killLiving)
  for (const signal of deadlySignals) process.off(signal, onSignal)
}

function killLiving(): void {
  for (const pid of living)
    if (isWindows) spawnSync('taskkill', taskkillArguments(pid), { windowsHide: true })
    else signalGroup(pid, 'SIGKILL')
}

/**
 * A listener keeps a signal from ending this process, so it does so itself unless there are others. It comes first: a
 * listener for one signal is removed before it is called.
 */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return
  killLiving()
  process.off(signal, onSignal)
  process.kill(process.pid, signal)
}
