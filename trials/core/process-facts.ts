// Memory, handles and children of a process, from /proc; other systems report none of them.
import { readdirSync, readFileSync } from 'node:fs'
import { childrenOf } from '../../test/support/e2e/processes.ts'

export interface ProcessFacts {
  /** Resident memory in MB: now, and at most since the start. */
  memoryMb: number
  peakMb: number
  handles: number
  /** Command lines, without the one ffmpeg that waits for the next voice note. */
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
      children: withoutWaiting(childrenOf(pid)),
    }
  } catch {
    return undefined
  }
}

/** Only one may wait: a second has been forgotten. */
function withoutWaiting(commands: string[]): string[] {
  const waiting = commands.findIndex(command => command.includes('ffmetadata'))
  return commands.filter((_, i) => i !== waiting)
}

/** Processes, also orphaned ones, whose environment contains this home folder. */
export function processesOf(home: string): { pid: number; parent: number; command: string }[] {
  return numbersIn('/proc').flatMap(pid => {
    const isOf = read(`/proc/${pid}/environ`).split('\0').includes(`HOME=${home}`)
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
    // A process that has ended and is not yet reaped has no command line.
    // The name of the program, in brackets, may contain any character.
    const parent = Number(
      read(`/proc/${pid}/stat`)
        .replace(/^.*\) \S /s, '')
        .split(' ')[0],
    )
    return isOf && command !== '' ? [{ pid, parent, command }] : []
  })
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
