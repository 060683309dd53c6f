// The Markdown pages of this project, split into prose and fenced blocks.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './e2e/system.ts'

export interface Line {
  /** Counted from 1. */
  number: number
  text: string
}

export interface Block {
  language: string
  /** Line of the line that opens the code block. */
  number: number
  /** Without the indentation of the code block. */
  lines: string[]
  /** The last line above it that is not blank. */
  above: string
}

export interface Page {
  /** From the project's root, with forward slashes. */
  path: string
  text: string
  /** Lines outside fenced blocks. */
  prose: Line[]
  blocks: Block[]
}

export const pages: Page[] = pagePaths().map(readPage)

function pagePaths(): string[] {
  const folders = ['docs', 'fixtures', 'findings', 'emulators', 'trials']
  const nested = folders.flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(path => `${folder}/${path}`),
  )
  return [...readdirSync(root), ...nested]
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => path.endsWith('.md'))
    .toSorted()
}

export function page(path: string): Page {
  const found = pages.find(page => page.path === path)
  if (!found) throw new Error(`There is no page ${path}.`)
  return found
}

function readPage(path: string): Page {
  const text = readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n')
  const prose: Line[] = []
  const blocks: Block[] = []
  let open: (Block & { indent: number }) | undefined
  text.split('\n').forEach((line, index) => {
    const codeBlockStart = /^( *)```(\w*)\s*$/.exec(line)
    if (open) {
      if (codeBlockStart?.[2] === '') open = undefined
      else open.lines.push(line.slice(open.indent))
    } else if (codeBlockStart) {
      const above = prose.findLast(({ text }) => text.trim() !== '')?.text.trim() ?? ''
      open = {
        language: codeBlockStart[2]!,
        number: index + 1,
        lines: [],
        above,
        indent: codeBlockStart[1]!.length,
      }
      blocks.push(open)
    } else prose.push({ number: index + 1, text: line })
  })
  if (open) throw new Error(`${path}:${open.number} opens a block that never ends.`)
  return { path, text, prose, blocks }
}
