// How a client starts this program: the paths of Node and of the entry file, and what may become of them.
import { existsSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { sep } from 'node:path'
import { isRecord } from './records.ts'

/** Homebrew removes the folder of a version with the next one; this link stays. */
const cellar = /^(.*)\/Cellar\/([^/]+)\/[^/]+(\/bin\/node)$/

export function nodePath(running = process.execPath): string {
  const lasting = running.replace(cellar, '$1/opt/$2$3')
  return lasting !== running && existsSync(lasting) && realpathSync(lasting) === realpathSync(running)
    ? lasting
    : running
}

/** True for folders that npx, other package runners and the system empty by themselves. */
export function isTemporary(entry: string, systemFolder = tmpdir()): boolean {
  const folders = [systemFolder, ...(existsSync(systemFolder) ? [realpathSync(systemFolder)] : [])]
  const isOfRunner = /[\\/](?:_npx|dlx|dlx-[^\\/]*|bunx-[^\\/]*)[\\/]/.test(entry)
  return isOfRunner || folders.some(folder => entry.startsWith(folder + sep))
}

/** True if the client's entry starts this program, from wherever. */
export function startsThisProgram(found: unknown, entry: string): boolean {
  return isRecord(found) && argumentOfProgram(found, entry) >= -1
}

/** The arguments behind the program's own path or name, which the user has added. */
export function furtherArguments(found: unknown, entry: string): string[] {
  return isRecord(found) ? argumentsOf(found).slice(argumentOfProgram(found, entry) + 1) : []
}

function argumentsOf({ args }: Record<string, unknown>): string[] {
  return Array.isArray(args) ? args.map(String) : []
}

/** -1: the command itself; -2: nothing names the program. */
function argumentOfProgram(found: Record<string, unknown>, entry: string): number {
  const names = (text: string) => text === entry || /(?:^|[\\/@])speech-mcp(?:$|[\\/@.])/.test(text)
  const index = argumentsOf(found).findIndex(names)
  return index >= 0 ? index : names(String(found.command ?? '')) ? -1 : -2
}
