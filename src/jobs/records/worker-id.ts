// The name of a worker: where and as which process it runs, so that others can see that it is surely dead.
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Place, process, its start, and something that no other worker has. */
export function workerName(): string {
  const { pid } = process
  return [place(), pid, lifeOf(pid)?.started ?? '', randomBytes(6).toString('hex')].join('/')
}

/** True for a worker of our own machine, whose clock is ours. */
export function isNear(worker: string, self: string): boolean {
  return worker.split('/')[0] === self.split('/')[0]
}

/** Only who shares our process numbers can be known to be dead; of anyone else the lease must run out. */
export function isDead(worker: string, self: string): boolean {
  const [place, pid, started, mark] = worker.split('/')
  const [ownPlace, ownPid] = self.split('/')
  if (worker === self || place !== ownPlace || mark === undefined) return false
  // Another name with our own number: that process had it before us.
  if (pid === ownPid || !isAlive(Number(pid))) return true
  const life = lifeOf(Number(pid))
  return life !== undefined && (life.isOver || (started !== '' && life.started !== started))
}

/**
 * The machine since it was started, and the process numbers on it: containers may share a host's name, and each of them
 * has a process 1. Where that cannot be told, nobody shares our place.
 */
function place(): string {
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

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Linux alone tells when a process was started, and whether it only waits for its parent to look. */
function lifeOf(pid: number): { started: string; isOver: boolean } | undefined {
  try {
    // pid (name) state …; a name may hold blanks and brackets. The start is the 22nd of the facts.
    const facts = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { started: facts[19] ?? '', isOver: facts[0] === 'Z' || facts[0] === 'X' }
  } catch {
    return undefined
  }
}
