// speech-mcp install CLIENT, uninstall CLIENT: enters this program in a client's configuration, or removes it.
import { homedir } from 'node:os'
import { canRunJobs, folderVariable } from '../../config/config.ts'
import { settings } from '../../config/settings.ts'
import { SpeechError } from '../../domain/errors.ts'
import type { Command, Invocation } from '../command.ts'
import { printNote } from '../io/messages.ts'
import { askSecret } from '../io/secret-input.ts'
import { changeEntry, type Entry, entryAt } from './change-entry.ts'
import { clients, placeOf } from './clients.ts'
import { readConfigFile } from './config-file.ts'
import { describeChange } from './describe-change.ts'
import { isEnoughAlone, settingsOfEnvironment, settingsOfFlags } from './entry-settings.ts'
import { furtherArguments, isTemporary, nodePath, startsThisProgram } from './program-entry.ts'
import { isRecord } from './records.ts'

const clientNames = Object.keys(clients).join('|')
const keyName = settings.apiKey.env

const options = {
  takesArguments: true,
  completes: Object.keys(clients),
  flags: { name: { help: 'name of the server in the client; default: speech' } },
  switches: { 'dry-run': { help: 'print what would change, without keys, and change nothing' } },
} as const

export const install: Command = {
  ...options,
  usage: 'speech-mcp install CLIENT',
  help: `Enter this program in a client: ${clientNames}.`,
  examples: [
    ['install claude-desktop', 'Asks for the key, and keeps a copy of the file.'],
    ['install cursor --dry-run', 'Shows what would change.'],
  ],
  async run(invocation) {
    const { config, flags, switches, entry } = invocation
    const { client, path, place } = target(invocation)
    if ('missing' in place)
      throw new SpeechError(
        'FILE_NOT_FOUND',
        `${client.title} is not installed: ${place.missing} does not exist.`,
        {
          hint: `Install ${client.title} and start it once, then run the command again.`,
        },
      )
    const given = settingsOfFlags(flags)
    const { text } = await readConfigFile(place.file)
    const present = entryAt(client, place.file, text, path)
    const isDry = switches.has('dry-run')
    const isEnough = isEnoughAlone(present?.env)
    const key = isEnough || canRunJobs(config) ? undefined : await askedKey(isDry)
    const taken = settingsOfEnvironment(config, flags, isEnough)
    const next = (found: Entry | undefined): Entry => {
      if (found && !startsThisProgram(found, entry))
        throw new SpeechError('BAD_INPUT', `${client.title} has another server of the name ${path[1]}.`, {
          hint: 'Choose another name with --name, or remove that server first.',
        })
      return {
        ...found,
        ...client.fields,
        command: nodePath(),
        args: [entry, ...furtherArguments(found, entry)],
        env: { ...(isRecord(found?.env) && found.env), ...taken, ...given, ...(key && { [keyName]: key }) },
      }
    }
    if (isDry) {
      const note = describeChange(client.format, path, present, next(present))
      process.stdout.write(`${place.file} would change:\n${note}`)
    } else {
      const { file, copy, isChanged } = await changeEntry(client, place.file, path, next)
      const words = !isChanged ? `${file} has it already` : copy ? `${file} (first copy: ${copy})` : file
      process.stdout.write(`${client.title} has the server ${path[1]} now: ${words}.\n${client.reload}\n`)
    }
    const names = Object.keys(taken).filter(name => given[name] === undefined)
    if (names.length > 0) process.stdout.write(`From the environment: ${names.join(', ')}.\n`)
    if (isTemporary(entry))
      printNote(
        `${entry} is in a temporary folder, which may be emptied. Install the program to stay, and run this again.`,
      )
    return 0
  },
}

export const uninstall: Command = {
  ...options,
  usage: 'speech-mcp uninstall CLIENT',
  help: 'Remove this program from a client.',
  examples: [['uninstall cursor', 'Leaves other servers as they are.']],
  async run(invocation) {
    const { switches, entry } = invocation
    const { client, path, place } = target(invocation)
    const text = 'file' in place ? (await readConfigFile(place.file)).text : undefined
    const present = 'file' in place ? entryAt(client, place.file, text, path) : undefined
    const nothing = `${client.title} has no server of the name ${path[1]}: nothing to remove.\n`
    if (!('file' in place) || !present) {
      process.stdout.write(nothing)
      return 0
    }
    const check = (found: Entry | undefined) => {
      if (found && !startsThisProgram(found, entry))
        throw new SpeechError('BAD_INPUT', `The server ${path[1]} of ${client.title} is another program.`, {
          hint: 'Give the name that this program has there with --name.',
        })
      return undefined
    }
    if (switches.has('dry-run')) {
      const note = describeChange(client.format, path, present, check(present))
      process.stdout.write(`${place.file} would change:\n${note}`)
      return 0
    }
    const { file, copy, isChanged } = await changeEntry(client, place.file, path, check)
    // The client may have removed it meanwhile.
    if (!isChanged) process.stdout.write(nothing)
    else
      process.stdout.write(
        `${client.title} has the server ${path[1]} no longer: ${file}.\n${client.reload}\n`,
      )
    if (copy) printNote(`${copy} is the file as it was first; it may hold keys.`)
    return 0
  },
}

function target({ words, flags }: Invocation) {
  const [name = '', ...more] = words
  if (!Object.hasOwn(clients, name) || more.length > 0)
    throw new SpeechError(
      'BAD_INPUT',
      name === '' || more.length > 0 ? 'Name one client.' : 'Unknown client.',
      {
        hint: `Use one of ${clientNames.replaceAll('|', ', ')}.`,
      },
    )
  const server = flags.name ?? 'speech'
  if (!/^[\w-]{1,64}$/.test(server) || server === '__proto__')
    throw new SpeechError('BAD_INPUT', 'The name of the server does not fit.', {
      hint: 'Use letters, digits, - and _.',
    })
  const client = clients[name]!
  const folders = { platform: process.platform, home: homedir(), variable: folderVariable }
  return { client, path: [client.servers, server], place: placeOf(client, folders) }
}

async function askedKey(isDry: boolean): Promise<string> {
  if (isDry) return 'asked for'
  const answer = process.stdin.isTTY ? await askSecret(`${keyName} (not shown): `) : undefined
  const key = settings.apiKey.schema.safeParse(answer || undefined)
  if (key.success && key.data) return key.data
  throw new SpeechError('KEY_MISSING', key.success ? 'There is no key.' : 'That is no key.', {
    hint: `Set ${keyName} in the environment, or run the command at a terminal, which asks for the key.`,
  })
}
