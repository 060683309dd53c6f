// JSON with comments: changes one entry and leaves all other bytes as they are.
import {
  applyEdits,
  findNodeAtLocation,
  modify,
  type Node,
  type ParseError,
  parse,
  parseTree,
} from 'jsonc-parser'
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

/** jsonc-parser changes a value in place; where it adds and removes, it formats the lines around anew. */
function edit(text: string, path: string[], value: unknown): string {
  const tree = parseTree(text, [], { allowTrailingComma: true })!
  const depth = path.findIndex((_, index) => !findNodeAtLocation(tree, path.slice(0, index + 1)))
  if (depth >= 0) return value === undefined ? text : insert(text, tree, path, depth, value)
  const property = findNodeAtLocation(tree, path)!.parent!
  if (value === undefined) return remove(text, property)
  return applyEdits(text, modify(text, path, value, {}))
}

/** Adds a property behind the last one; the first `depth` keys of the path are there. */
function insert(text: string, tree: Node, path: string[], depth: number, value: unknown): string {
  const unit = /^([\t ]+)\S/m.exec(text)?.[1] ?? '  '
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const inner = path.slice(depth + 1).reduceRight((within, key) => ({ [key]: within }), value)
  const property = `${JSON.stringify(path[depth])}: ${JSON.stringify(inner, null, unit)}`
  const line = `${eol}${unit.repeat(depth + 1)}${property.replaceAll('\n', eol + unit.repeat(depth + 1))}`
  const parent = findNodeAtLocation(tree, path.slice(0, depth))!
  const last = parent.children?.at(-1)
  if (!last) {
    const start = parent.offset + 1
    const end = parent.offset + parent.length - 1
    const close = text.slice(start, end).includes('\n') ? '' : eol + unit.repeat(depth)
    return text.slice(0, start) + line + close + text.slice(start)
  }
  const end = last.offset + last.length
  // A comment behind the last property stays there.
  const [rest = '', comma = '', comment = ''] =
    /^(,?)([\t ]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*\*\/)?)(?=\r?\n)/.exec(text.slice(end)) ?? []
  return `${text.slice(0, end)},${comment}${line}${comma}${text.slice(end + rest.length)}`
}

function remove(text: string, property: Node): string {
  const siblings = property.parent!.children!
  const previous = siblings[siblings.indexOf(property) - 1]
  const end = property.offset + property.length
  const comma = /^\s*,/.exec(text.slice(end))?.[0] ?? ''
  let before = text.slice(0, property.offset).replace(/(?:\r?\n)?[\t ]*$/, '')
  if (comma === '' && previous) {
    const from = previous.offset + previous.length
    const gap = before.slice(from).replace(/^((?:\s|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*),/, '$1')
    before = before.slice(0, from) + gap
  }
  return before + text.slice(end + comma.length)
}
