// Memory, handles and children of a process, from /proc; other systems report none of them.
import { readdirSync, readFileSync } from 'node:fs'
import { childrenOf } from '../../test/support/e2e/processes.ts'

export interface ProcessFacts {
  /** Resident memory in MB: now, and at most since the start. */
  memoryMb: number
  peakMb: number
  handles: number
  /** Command lines. */
  children: string[]
}

/** Undefined where /proc does not exist, and for a process that has ended. */
export function factsOf(pid: number): ProcessFacts | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const megabytes = (name: string) =>
      Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1000)
    return {
      memoryMb: megabytes('VmRSS'),
      peakMb: megabytes('VmHWM'),
      handles: readdirSync(`/proc/${pid}/fd`).length,
      children: childrenOf(pid),
    }
  } catch {
    return undefined
  }
}

/** Process ids whose command line contains the text, except this process. */
export function processesWith(text: string): number[] {
  const commandOf = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    } catch {
      return ''
    }
  }
  try {
    const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
    return pids.filter(pid => Number(pid) !== process.pid && commandOf(pid).includes(text)).map(Number)
  } catch {
    return []
  }
}
