// Finds, changes and removes one server in the text of a client's file.
import { isDeepStrictEqual } from 'node:util'
import { SpeechError } from '../../domain/errors.ts'
import type { Client } from './clients.ts'
import { type ChangedFile, changeConfigFile } from './config-file.ts'
import { isRecord } from './records.ts'

export type Entry = Record<string, unknown>

/** The server at `path` (key of all servers, name); undefined if there is none. Throws `BAD_INPUT` for an unusual file. */
export function entryAt(
  client: Client,
  file: string,
  text: string | undefined,
  path: string[],
): Entry | undefined {
  const servers = read(client, file, withoutMark(text ?? ''))[path[0]!]
  if (servers !== undefined && !isRecord(servers))
    throw unusual(file, `${path[0]} is no ${client.format.name} object.`)
  const found = servers && Object.hasOwn(servers, path[1]!) ? servers[path[1]!] : undefined
  if (found === undefined || isRecord(found)) return found
  throw unusual(file, `${path.join('.')} is no ${client.format.name} object.`)
}

/** Resolves with what became of the file. `next` gives the new entry for the present one; undefined removes it. */
export async function changeEntry(
  client: Client,
  given: string,
  path: string[],
  next: (present: Entry | undefined) => Entry | undefined,
): Promise<ChangedFile> {
  const { format } = client
  return changeConfigFile(given, (text = '') => {
    const mark = text.slice(0, text.length - withoutMark(text).length)
    const bare = withoutMark(text)
    const present = entryAt(client, given, text, path)
    const entry = next(present)
    if (isDeepStrictEqual(plain(present), plain(entry))) return text
    const changed = entry ? format.put(bare, path, entry) : format.remove(bare, path)
    const expected = expectedContent(read(client, given, bare), path, entry)
    // The text was changed without its meaning in mind: a file in an unusual form is left alone.
    const isRight = () => isDeepStrictEqual(plain(format.read(changed)), expected)
    if (!passes(isRight)) throw unusual(given, `It is written in a form that this command cannot change.`)
    return mark + changed
  })
}

function expectedContent(content: Entry, [servers, name]: string[], entry: Entry | undefined): unknown {
  const others = { ...(content[servers!] as Entry | undefined) }
  delete others[name!]
  return plain({ ...content, [servers!]: { ...others, ...(entry && { [name!]: entry }) } })
}

function passes(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false
  }
}

/** Objects of one prototype, without fields that are undefined. */
function plain(value: unknown): unknown {
  return structuredClone(value)
}

function read(client: Client, file: string, text: string): Entry {
  try {
    return client.format.read(text)
  } catch (error) {
    throw unusual(file, (error as Error).message)
  }
}

function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

function unusual(file: string, sentence: string): SpeechError {
  return new SpeechError('BAD_INPUT', `${file} was left as it is. ${sentence}`, {
    hint: 'Repair the file, or enter the server by hand: docs/clients.md has the lines.',
  })
}
