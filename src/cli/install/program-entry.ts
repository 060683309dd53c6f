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

const bin = /(?:^|[\\/])speech-mcp(?:\.(?:cmd|exe|ps1))?$/i
/** A package of the same name in another's scope is another program. */
const mainFile = /(?:^|(?<!(?:^|[\\/])@[^\\/]*)[\\/])speech-mcp[\\/]dist[\\/]main\.js$/
const packageName = /^speech-mcp(?:@[\w.^~-]+)?$/
const interpreter = /(?:^|[\\/])(?:node|nodejs|bun)(?:\.exe)?$/i
const runner =
  /(?:^|[\\/])(?:(?:npx|pnpx|bunx)(?:\.cmd|\.exe)?|(?:npm|pnpm|yarn|bun)(?:\.cmd|\.exe)? (?:exec|dlx|x))$/i
const optionWithValue = /^(?:-r|-p|--require|--import|--loader|--package|--env-file)$/

/** -1: the command itself; -2: another program. */
function argumentOfProgram(found: Record<string, unknown>, entry: string): number {
  const command = String(found.command ?? '')
  if (command === entry || bin.test(command) || mainFile.test(command)) return -1
  const args = argumentsOf(found)
  // Windows starts npx only through its shell.
  let at = /(?:^|[\\/])cmd(?:\.exe)?$/i.test(command) && /^\/c$/i.test(args[0] ?? '') ? 2 : 0
  let starter = at === 2 ? (args[1] ?? '') : command
  if (runner.test(`${starter} ${args[at]}`)) starter += ` ${args[at++]}`
  while (args[at]?.startsWith('-')) at += optionWithValue.test(args[at]!) ? 2 : 1
  const name = args[at] ?? ''
  const isOurs = runner.test(starter)
    ? packageName.test(name)
    : name === entry ||
      mainFile.test(name) ||
      (interpreter.test(starter) && /[\\/]/.test(name) && bin.test(name))
  return isOurs ? at : -2
}
