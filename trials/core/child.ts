// A program under trial as a child process: it ends with this process, and its end is known.
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { entry } from '../../test/support/e2e/system.ts'
import { closeTimeoutMs } from './door.ts'

export interface Program {
  child: ChildProcess
  pid: number
  ended(): string | undefined
  /** Resolves when the process has ended. */
  whenEnded: Promise<void>
  stderr(): string
  /** The first address that the program names. */
  firstUrl: Promise<string>
  /** Tells the process to end with `how`; kills it if it does not. Resolves with false then. */
  end(how: () => void): Promise<boolean>
  kill(): Promise<void>
}

export interface ProgramOptions {
  args?: string[]
  env: Record<string, string>
  /** Arguments for Node, such as a module to preload; it gets an IPC channel then. */
  node?: string[]
  /** Runs before Node: a command with its arguments, such as a shell that sets limits. */
  wrapper?: string[]
}

const keptStderrChars = 1_000_000

export function startProgram({ args = [], env, node = [], wrapper = [] }: ProgramOptions): Program {
  const [command, ...rest] = [...wrapper, process.execPath, ...node, entry, ...args]
  const ipc = node.length > 0 ? (['ipc'] as const) : []
  const child = spawn(command!, rest, { env, stdio: ['pipe', 'pipe', 'pipe', ...ipc] })
  const killWithParent = () => void child.kill('SIGKILL')
  process.once('exit', killWithParent)
  let ended: string | undefined
  const whenEnded = new Promise<void>(resolve => {
    child.once('error', error => {
      ended ??= error.message
      resolve()
    })
    child.once('close', (code, signal) => {
      ended = String(signal ?? code)
      process.off('exit', killWithParent)
      resolve()
    })
  })
  let stderr = ''
  child.stdin!.on('error', () => {})
  const firstUrl = new Promise<string>(resolve => {
    child.stderr!.setEncoding('utf8').on('data', text => {
      stderr = (stderr + text).slice(-keptStderrChars)
      const [, url] = /serves (http\S+)/.exec(stderr) ?? []
      if (url !== undefined) resolve(url)
    })
  })
  const kill = async () => {
    child.kill('SIGKILL')
    await whenEnded
  }
  return {
    child,
    pid: child.pid ?? 0,
    ended: () => ended,
    whenEnded,
    stderr: () => stderr,
    firstUrl,
    async end(how) {
      how()
      await Promise.race([whenEnded, sleep(closeTimeoutMs, undefined, { ref: false })])
      if (ended !== undefined) return true
      await kill()
      return false
    },
    kill,
  }
}
