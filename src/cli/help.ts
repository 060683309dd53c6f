// Help texts: of the program, and of each command with its flags, their defaults and examples.
import { settings } from '../config/settings.ts'
import type { Command } from './command.ts'

const maxColumns = 100
const usageColumns = 36

/** One line a command, and the settings. */
export function programHelp(commands: Command[]): string {
  const lines = ['speech-mcp is an MCP server for speech recognition, and a command line for recordings.', '']
  for (const { usage, help } of commands) lines.push(...entry(`  ${usage}`, help, usageColumns))
  lines.push('', '`speech-mcp COMMAND --help` has the flags of a command, their defaults and examples.')
  lines.push('', 'Settings, from the environment or as flags:')
  for (const { env, flag, help } of Object.values(settings))
    lines.push(`  ${env} (--${flag})`, `      ${help}`)
  return `${lines.join('\n')}\n`
}

export function commandHelp({ usage, help, details, flags = {}, switches = {}, examples }: Command): string {
  const lines = [`Usage: ${usage}`, '', ...wrap(help, maxColumns)]
  for (const paragraph of details?.split('\n') ?? []) lines.push('', ...wrap(paragraph, maxColumns))
  const own = Object.entries<{ short?: string; help: string }>({ ...flags, ...switches })
  const named = [...own, ['help', { short: 'h', help: 'this text' }] as const].map(([name, flag]) => ({
    name: `  ${flag.short ? `-${flag.short}, ` : '    '}--${name}${name in flags ? ' …' : ''}`,
    help: flag.help,
  }))
  const width = Math.max(...named.map(({ name }) => name.length)) + 2
  lines.push('', 'Flags:', ...named.flatMap(flag => entry(flag.name, flag.help, width)))
  lines.push('', 'Examples:')
  for (const [command, effect] of examples)
    lines.push(
      `  speech-mcp ${command}`.trimEnd(),
      ...wrap(effect, maxColumns - 6).map(line => `      ${line}`),
    )
  lines.push('', 'Every setting is a flag too: `speech-mcp --help` lists them.')
  return `${lines.join('\n')}\n`
}

/** A name, and beside it its text in a column of its own. */
function entry(name: string, text: string, width: number): string[] {
  const [first = '', ...rest] = wrap(text, maxColumns - width)
  const indented = rest.map(line => `${' '.repeat(width)}${line}`)
  if (name.length + 1 > width) return [name, `${' '.repeat(width)}${first}`, ...indented]
  return [`${name.padEnd(width)}${first}`, ...indented]
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line += line ? ` ${word}` : word
  }
  return [...lines, line]
}
