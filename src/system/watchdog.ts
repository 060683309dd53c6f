// Ends process groups when this process was killed, which leaves it no chance to do so: a shell notices, and outlives it.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { childEnvironment } from './child-environment.ts'

/** Keeps the list of groups that run; its input ends with this process. */
const script = `
groups=' '
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -9 "-$group"; done
`

export interface Watchdog {
  /** Starts the shell, if there is none: a group that is started afterwards is watched from its first moment on. */
  prepare(): void
  watch(group: number): void
  unwatch(group: number): void
}

/** A server that transcribes one voice note after the other does not start a shell for each of them. */
const usualIdleMs = 60_000

/**
 * The shell runs while there are groups, and for a time afterwards. Without one that starts, a killed process leaves
 * them behind, and nothing else fails: a sandbox may forbid it.
 */
export function createWatchdog(path = '/bin/sh', idleMs = usualIdleMs): Watchdog {
  const groups = new Set<number>()
  let shell: ChildProcess | undefined
  let ending: NodeJS.Timeout | undefined

  function start(): ChildProcess | undefined {
    try {
      return startShell()
    } catch {
      // `spawn` throws some errors of the system, such as EPERM and ENOMEM, and emits others.
      return undefined
    }
  }

  function startShell(): ChildProcess {
    // A group of its own gets no signal that is meant for this process.
    const started: ChildProcess = spawn(path, ['-c', script], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: childEnvironment(),
      detached: true,
    })
    const forget = () => {
      if (shell === started) shell = undefined
    }
    // An idle shell keeps no process alive, and ends with it.
    ;(started.stdin as Socket | null)?.unref()
    started.once('error', forget).once('exit', forget)
    started.stdin?.on('error', forget)
    started.unref()
    for (const group of groups) started.stdin?.write(`+ ${group}\n`)
    return started
  }

  function end(): void {
    shell?.stdin?.end()
    shell = undefined
  }

  function endWhenIdle(): void {
    if (groups.size === 0) ending = setTimeout(end, idleMs).unref()
  }

  return {
    prepare() {
      clearTimeout(ending)
      shell ??= start()
      // The group may never start.
      endWhenIdle()
    },
    watch(group) {
      clearTimeout(ending)
      groups.add(group)
      if (shell) shell.stdin?.write(`+ ${group}\n`)
      else shell = start()
    },
    unwatch(group) {
      if (!groups.delete(group)) return
      shell?.stdin?.write(`- ${group}\n`)
      endWhenIdle()
    },
  }
}
