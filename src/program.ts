// The program between its arguments and its exit code: picks the command, parses its flags and explains errors.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Command } from './cli/command.ts'
import { readConfig } from './config/config.ts'
import { settings } from './config/settings.ts'
import { describeError, SpeechError } from './domain/errors.ts'
import { setLogLevel } from './log.ts'

/** Commands are loaded lazily, so that the server starts without the code of the others. */
const commands = {
  serve: async () => (await import('./cli/serve.ts')).serve,
  http: async () => (await import('./cli/http.ts')).http,
  worker: async () => (await import('./cli/worker.ts')).worker,
  transcribe: async () => (await import('./cli/transcribe.ts')).transcribe,
  diarize: async () => (await import('./cli/diarize.ts')).diarize,
  watch: async () => (await import('./cli/watch/watch.ts')).watch,
  format: async () => (await import('./cli/format.ts')).format,
  list: async () => (await import('./cli/list.ts')).list,
  export: async () => (await import('./cli/export.ts')).exportTranscript,
  clip: async () => (await import('./cli/clip.ts')).clip,
  upload: async () => (await import('./cli/upload/upload.ts')).upload,
  view: async () => (await import('./cli/view.ts')).view,
  install: async () => (await import('./cli/install/install.ts')).install,
  uninstall: async () => (await import('./cli/install/install.ts')).uninstall,
  doctor: async () => (await import('./cli/doctor/doctor.ts')).doctor,
  completion: async () => (await import('./cli/completion.ts')).completion,
  demo: async () => (await import('../demo/demo.ts')).demo,
} satisfies Record<string, () => Promise<Command>>

const version = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version

/**
 * Runs the program with the process's environment, standard streams and working folder. Resolves with the exit code: 2
 * for errors in arguments or settings, 1 for other errors. `entry`: path of the program's entry file.
 */
export async function runProgram(args: string[], entry: string): Promise<number> {
  try {
    return await runCommand(args, entry)
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`)
    return error instanceof SpeechError && /^(?:BAD_INPUT|CONFIG_INVALID)$/.test(error.code) ? 2 : 1
  }
}

async function runCommand(args: string[], entry: string): Promise<number> {
  const [first = ''] = args
  if (['--version', '-v', 'version'].includes(first)) return print(`${version}\n`)
  const isCommand = Object.hasOwn(commands, first)
  if (['--help', '-h', 'help'].includes(first)) return print(await help(args[1]))
  if (!isCommand && first !== '' && !first.startsWith('-'))
    throw new SpeechError('BAD_INPUT', 'Unknown command.', { hint: 'See `speech-mcp --help`.' })
  const command = await commands[isCommand ? (first as keyof typeof commands) : 'serve']()
  const { words, flags, lists, switches } = parse(isCommand ? args.slice(1) : args, command)
  if (switches.has('help')) return print(await help(isCommand ? first : undefined))
  if (words.length > 0 && !command.takesArguments)
    throw new SpeechError('BAD_INPUT', `\`${command.usage}\` takes no arguments.`, {
      hint: `Flags come after the command; see \`${command.usage} --help\`.`,
    })
  const config = readConfig(undefined, flags)
  setLogLevel(config.logLevel)
  return command.run({ config, words, flags, lists, switches, version, entry, allCommands })
}

function parse(args: string[], command: Command) {
  const own = Object.entries(command.flags ?? {}).map(([name, { short, multiple = false }]) => [
    name,
    { type: 'string' as const, multiple, ...shortOf(short) },
  ])
  const general = Object.values(settings).map(({ flag }) => [flag, { type: 'string' as const }])
  const switches = Object.entries(command.switches ?? {}).map(([name, { short }]) => [
    name,
    { type: 'boolean' as const, ...shortOf(short) },
  ])
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
      lists: Object.fromEntries(
        given.flatMap(([name, value]) => (Array.isArray(value) ? [[name, value.map(String)]] : [])),
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

/** parseArgs rejects an undefined `short`. */
function shortOf(short: string | undefined): { short?: string } {
  return short ? { short } : {}
}

async function allCommands(): Promise<Record<string, Command>> {
  const loaded = Object.entries(commands).map(async ([name, load]) => [name, await load()] as const)
  return Object.fromEntries(await Promise.all(loaded))
}

/** Of the command of this name, or of the program. */
async function help(name = ''): Promise<string> {
  const { commandHelp, programHelp } = await import('./cli/help.ts')
  if (Object.hasOwn(commands, name)) return commandHelp(await commands[name as keyof typeof commands]())
  return programHelp(Object.values(await allCommands()))
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}
