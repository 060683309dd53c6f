#!/usr/bin/env node
// Entry point: picks the command, parses its flags, and sets the exit code.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import type { Command } from './cli/command.ts'
import { readConfig } from './config/config.ts'
import { settings } from './config/settings.ts'
import { describeError, SpeechError } from './domain/errors.ts'
import { setLogLevel } from './log.ts'

// Hours of audio pass through in small short-lived buffers. V8 would grow its young generation to 32 MB for them;
// keeping its initial size makes the process 20 MB smaller, at no measurable cost.
setFlagsFromString('--semi-space-growth-factor=1')

/** Commands are loaded lazily, so that the server starts without the code of the others. */
const commands = {
  serve: async () => (await import('./cli/serve.ts')).serve,
  http: async () => (await import('./cli/http.ts')).http,
  worker: async () => (await import('./cli/worker.ts')).worker,
  transcribe: async () => (await import('./cli/transcribe.ts')).transcribe,
  diarize: async () => (await import('./cli/diarize.ts')).diarize,
  format: async () => (await import('./cli/format.ts')).format,
  export: async () => (await import('./cli/export.ts')).exportTranscript,
  doctor: async () => (await import('./cli/doctor/doctor.ts')).doctor,
  demo: async () => (await import('../demo/demo.ts')).demo,
} satisfies Record<string, () => Promise<Command>>

const version = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version

async function main(args: string[]): Promise<number> {
  const [first = ''] = args
  if (['--version', '-v', 'version'].includes(first)) return print(`${version}\n`)
  if (['--help', '-h', 'help'].includes(first)) return print(await help())
  const isCommand = Object.hasOwn(commands, first)
  if (!isCommand && first !== '' && !first.startsWith('-'))
    throw new SpeechError('BAD_INPUT', 'Unknown command.', { hint: 'See `speech-mcp --help`.' })
  const command = await commands[isCommand ? (first as keyof typeof commands) : 'serve']()
  const { words, flags, switches } = parse(isCommand ? args.slice(1) : args, command)
  if (switches.has('help')) return print(await help())
  if (words.length > 0 && !command.takesArguments)
    throw new SpeechError('BAD_INPUT', `\`${command.usage}\` takes no arguments.`, {
      hint: 'Flags come after the command; see `speech-mcp --help`.',
    })
  const config = readConfig(undefined, flags)
  setLogLevel(config.logLevel)
  return command.run({ config, words, flags, switches, version, entry: fileURLToPath(import.meta.url) })
}

function parse(args: string[], command: Command) {
  const own = Object.entries(command.flags ?? {}).map(([name, { short }]) => [
    name,
    // parseArgs rejects an undefined `short`.
    { type: 'string' as const, ...(short && { short }) },
  ])
  const general = Object.values(settings).map(({ flag }) => [flag, { type: 'string' as const }])
  const switches = Object.keys(command.switches ?? {}).map(name => [name, { type: 'boolean' as const }])
  try {
    const { values, positionals } = parseArgs({
      args,
      options: {
        ...Object.fromEntries([...general, ...own, ...switches]),
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    })
    const given = Object.entries(values)
    return {
      words: positionals,
      flags: Object.fromEntries(
        given.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
      ),
      switches: new Set(given.flatMap(([name, value]) => (value === true ? [name] : []))),
    }
  } catch (cause) {
    throw new SpeechError('BAD_INPUT', firstSentence((cause as Error).message), {
      hint: 'See `speech-mcp --help`.',
    })
  }
}

/** Drops the advice that Node appends, which does not apply to these commands. */
function firstSentence(message: string): string {
  return message.replace(/\.?(?:\s+(?:To specify|Did you)\b.*)?$/s, '.')
}

async function help(): Promise<string> {
  const lines = ['speech-mcp is an MCP server for speech recognition.', '']
  for (const load of Object.values(commands)) {
    const { usage, help: text, flags = {}, switches = {} } = await load()
    lines.push(`  ${usage.padEnd(30)} ${text}`)
    const own: [name: string, flag: { short?: string; help: string }][] = Object.entries({
      ...flags,
      ...switches,
    })
    for (const [name, flag] of own)
      lines.push(`    ${`${flag.short ? `-${flag.short}, ` : ''}--${name}`.padEnd(28)} ${flag.help}`)
  }
  lines.push('', 'Settings, from the environment or as flags:')
  for (const { env, flag, help: text } of Object.values(settings))
    lines.push(`  ${env} (--${flag})`, `      ${text}`)
  return `${lines.join('\n')}\n`
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

// Writers to stdout handle its errors; without this listener an error would also crash the process.
process.stdout.on('error', () => {})

/** Exits after stdout is flushed: an asynchronous stdout would lose output otherwise. */
function exit(code: number): void {
  process.stdout.write('', () => process.exit(code))
}

main(process.argv.slice(2)).then(exit, error => {
  process.stderr.write(`${describeError(error)}\n`)
  exit(error instanceof SpeechError && /^(?:BAD_INPUT|CONFIG_INVALID)$/.test(error.code) ? 2 : 1)
})
