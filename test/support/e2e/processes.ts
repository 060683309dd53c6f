// Lists the child processes of a process, from /proc or with ps.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Of the shell that ends the others if their parent is killed; it stays for a minute without any. */
const watching = 'while read -r change group'

/** Command lines of the children of a process, but for the shell that watches them. */
export function childrenOf(pid: number): string[] {
  return allChildrenOf(pid).filter(line => !line.includes(watching))
}

function allChildrenOf(pid: number): string[] {
  if (!existsSync('/proc/self/stat')) {
    const lines = execFileSync('ps', ['-axo', 'ppid=,args='], { encoding: 'utf8' }).split('\n')
    return lines.filter(line => Number(line.trim().split(' ')[0]) === pid)
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
        return [readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')]
      } catch {
        return []
      }
    })
}
