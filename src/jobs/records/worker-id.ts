// Id of a worker: its machine and its process, so that others can see that it is certainly dead.
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { isAlive } from '../../system/processes.ts'

/** `machine/pid/start time/random id`. */
export function createWorkerId(): string {
  const { pid } = process
  return [machineId(), pid, processStat(pid)?.started ?? '', randomBytes(6).toString('hex')].join('/')
}

/** True for a worker on this machine, which shares our clock. */
export function isSameMachine(worker: string, self: string): boolean {
  return worker.split('/')[0] === self.split('/')[0]
}

/** Only a process with our process numbers can be known to be dead; the lease of any other must run out. */
export function isDead(worker: string, self: string): boolean {
  const [machine, pid, started, id] = worker.split('/')
  const [ownMachine, ownPid] = self.split('/')
  if (worker === self || machine !== ownMachine || id === undefined) return false
  // Another worker id with our process number: that process had the number before us.
  if (pid === ownPid || !isAlive(Number(pid))) return true
  const stat = processStat(Number(pid))
  return stat !== undefined && (stat.hasExited || (started !== '' && stat.started !== started))
}

/**
 * The machine since its boot, and its namespace of process numbers: containers may share a host name, and each of them
 * has a process 1. Where that cannot be read, a random id shares the machine with no other worker.
 */
function machineId(): string {
  if (process.platform !== 'linux') return digest(hostname())
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
    return digest(hostname(), boot, readlinkSync('/proc/self/ns/pid'))
  } catch {
    return randomBytes(6).toString('hex')
  }
}

function digest(...facts: string[]): string {
  return createHash('sha256').update(facts.join('\0')).digest('hex').slice(0, 12)
}

/** Linux alone says when a process was started, and whether it is a zombie. */
function processStat(pid: number): { started: string; hasExited: boolean } | undefined {
  try {
    // pid (name) state …; a name may contain spaces and brackets. The start time is field 22.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { started: fields[19] ?? '', hasExited: fields[0] === 'Z' || fields[0] === 'X' }
  } catch {
    return undefined
  }
}
