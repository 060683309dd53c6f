// JSON with comments: changes one entry and leaves all other bytes as they are.
import { applyEdits, modify, type ParseError, parse } from 'jsonc-parser'
import { isRecord } from './records.ts'

/** How a client's file is read and changed. Each function throws an `Error` with a sentence if the text does not fit. */
export interface ConfigFormat {
  name: string
  read(text: string): Record<string, unknown>
  /** Adds or replaces the entry at this path. */
  put(text: string, path: string[], entry: Record<string, unknown>): string
  remove(text: string, path: string[]): string
  /** The entry as the file would have it. */
  print(path: string[], entry: Record<string, unknown>): string
}

export const jsonFormat: ConfigFormat = {
  name: 'JSON',
  read(text) {
    if (text.trim() === '') return {}
    const errors: ParseError[] = []
    const value: unknown = parse(text, errors, { allowTrailingComma: true })
    const [error] = errors
    if (error) {
      const before = text.slice(0, error.offset).split('\n')
      throw new Error(`It is no JSON from line ${before.length}, column ${before.at(-1)!.length + 1} on.`)
    }
    if (!isRecord(value)) throw new Error('It is JSON, but no object.')
    return value
  },
  put(text, path, entry) {
    const given = text.trim() === '' ? '{}\n' : text
    const present = path.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), this.read(given))
    return changes(path, present, entry).reduce((changed, { at, value }) => edit(changed, at, value), given)
  },
  remove: (text, path) => edit(text, path, undefined),
  print: (path, entry) => `${JSON.stringify(path.at(-1))}: ${JSON.stringify(entry, null, 2)}`,
}

interface Change {
  at: string[]
  value: unknown
}

/** The smallest changes that lead from one value to the other, so that comments within them stay. */
function changes(at: string[], from: unknown, to: unknown): Change[] {
  if (!isRecord(from) || !isRecord(to))
    return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ at, value: to }]
  const names = new Set([...Object.keys(from), ...Object.keys(to)])
  return [...names].flatMap(name => changes([...at, name], from[name], to[name]))
}

function edit(text: string, path: string[], value: unknown): string {
  const indent = /^([\t ]+)\S/m.exec(text)?.[1] ?? '  '
  const formattingOptions = {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  }
  return applyEdits(text, modify(text, path, value, { formattingOptions }))
}
