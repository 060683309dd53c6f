// TOML: replaces the tables of one entry and leaves all other bytes as they are.
import { parse, stringify } from 'smol-toml'
import type { ConfigFormat } from './json-format.ts'

export const tomlFormat: ConfigFormat = {
  name: 'TOML',
  read(text) {
    try {
      return parse(text, { integersAsBigInt: 'asNeeded' })
    } catch (error) {
      const { line, column } = error as { line?: number; column?: number }
      throw new Error(`It is no TOML${line ? ` at line ${line}, column ${column}` : ''}.`)
    }
  },
  put(text, path, entry) {
    const eol = text.includes('\r\n') ? '\r\n' : '\n'
    const tables = this.print(path, entry).replaceAll('\n', eol)
    const { lines, own } = split(text, path)
    const start = own.indexOf(true)
    if (start >= 0) {
      const rest = lines.slice(start).filter((_, index) => !own[start + index])
      return [...lines.slice(0, start), tables, ...rest].join('')
    }
    const blank = text.trim() === '' ? '' : text.endsWith('\n') ? eol : eol + eol
    return text + blank + tables
  },
  remove(text, path) {
    const { lines, own } = split(text, path)
    const start = own.indexOf(true)
    // The blank line that `put` has added.
    if (own.at(-1) && lines[start - 1]?.trim() === '') own[start - 1] = true
    return lines.filter((_, index) => !own[index]).join('')
  },
  print: (path, entry) =>
    `${stringify(path.reduceRight<Record<string, unknown>>((value, key) => ({ [key]: value }), entry)).trim()}\n`,
}

/** Texts of several lines, which may look like tables; beside them the texts and comments that may look like their ends. */
const textsAndComments = /"""[\s\S]*?(?<!\\)"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#[^\n]*/g

/**
 * The lines, and which of them belong to the entry's tables. Blank lines and comments before the next table are not
 * the entry's.
 */
function split(text: string, path: string[]): { lines: string[]; own: boolean[] } {
  const lines = text.split(/(?<=\n)/)
  const blanked = text.replace(textsAndComments, found =>
    /^(?:"""|''')/.test(found) ? found.replace(/[^\n]/g, '.') : found,
  )
  let isOwn = false
  const own = blanked.split(/(?<=\n)/).map(line => {
    const header = /^\s*\[\[?\s*(.+?)\s*\]\]?\s*(?:#.*)?$/.exec(line)
    if (header) {
      const keys = header[1]!.match(/"[^"]*"|'[^']*'|[^.\s]+/g) ?? []
      isOwn = path.every((key, index) => keys[index]?.replace(/^["'](.*)["']$/, '$1') === key)
    }
    return isOwn
  })
  const isSpare = (index: number) => /^\s*(?:#.*)?\s*$/.test(lines[index]!)
  for (let index = lines.length - 1; index >= 0; index--)
    if (own[index] && !own[index + 1] && isSpare(index)) own[index] = false
  return { lines, own }
}
