// Lists the child processes of a process, from /proc or with ps.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Of the shell that ends the others if their parent is killed; it stays for a minute without any. */
const watching = 'while read -r change group'

/** Command lines of the children of a process, but for the shell that watches them. */
export function childrenOf(pid: number): string[] {
  return allChildrenOf(pid)
    .map(({ line }) => line)
    .filter(line => !line.includes(watching))
}

/** Ids of the decoders that a process keeps ready for a voice note. */
export function waitingDecodersOf(pid: number): number[] {
  return allChildrenOf(pid)
    .filter(({ line }) => line.includes('ffmetadata'))
    .map(({ id }) => id)
}

function allChildrenOf(pid: number): { id: number; line: string }[] {
  if (!existsSync('/proc/self/stat')) {
    const lines = execFileSync('ps', ['-axo', 'ppid=,pid=,args='], { encoding: 'utf8' }).split('\n')
    return lines.flatMap(line => {
      const [parent, id, ...args] = line.trim().split(/\s+/)
      return Number(parent) === pid ? [{ id: Number(id), line: args.join(' ') }] : []
    })
  }
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        // pid (name) state ppid …; a name may hold blanks and brackets.
        const [state, parent] = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')
        if (Number(parent) !== pid || state === 'Z') return []
        const line = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return [{ id: Number(name), line }]
      } catch {
        return []
      }
    })
}
