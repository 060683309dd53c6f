// Keeps the program's files ASCII: V8 holds another one in two bytes a character, and reads it more slowly. esbuild escapes
// all text but that of regular expressions.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const other = /[\u0080-\uffff]/g

/** In all scripts of a folder and of those within. */
export function keepAscii(folder) {
  for (const name of readdirSync(folder, { recursive: true })) {
    const file = join(folder, name)
    if (!/\.c?js$/.test(name)) continue
    const source = readFileSync(file, 'utf8')
    if (/\\[\u0080-\uffff]|String\.raw`[^`]*[\u0080-\uffff]/.test(source))
      throw new Error(`${name} has a character beyond ASCII that cannot be escaped.`)
    const ascii = source.replace(other, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    if (ascii !== source) writeFileSync(file, ascii)
  }
}
