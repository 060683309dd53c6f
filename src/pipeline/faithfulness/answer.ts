// Extracts the text from a model's answer, and splits it into the units that are judged.
import { withoutControls } from '../../domain/text.ts'
import { unspacedScript } from './normalized-text.ts'

/** A paragraph of an answer, or a run of sentences of a long one. */
export interface Unit {
  /** `[from, to)` in the answer, without surrounding whitespace. */
  from: number
  to: number
  /** True where it begins a paragraph of the answer. */
  opens: boolean
  /** True where it ends a paragraph of the answer. */
  closes: boolean
}

/**
 * Removes reasoning, code blocks, tags, quotes and markup that the original lacks. The rest may still hold sentences that
 * the model added.
 */
export function extractText(answer: string, original: string): string {
  let text = answer.replace(/\r\n?/g, '\n')
  if (!/<think/i.test(original)) text = withoutReasoning(text)
  text = fromJson(text)
  if (!original.includes('`')) text = text.replace(/^[ \t]*```.*$/gm, '').replaceAll('`', '')
  if (!original.includes('<'))
    text = text.replace(/<\/?[a-z][\w-]*(?:\s[^<>\n]*)?\/?>/gi, tag => (/^<br/i.test(tag) ? '\n' : ''))
  if (!/&#?\w+;/.test(original)) text = text.replace(/&(#\d+|#x[\da-f]+|\w+);/gi, decode)
  if (!text.includes('\n') && !original.includes('\\')) text = text.replaceAll('\\n', '\n')
  return withoutQuotes(withoutMarkup(withoutControls(text), original).trim(), original)
}

/** Removes `<think>` blocks: an unclosed one extends to the end, an unopened one starts at the beginning. */
function withoutReasoning(text: string): string {
  let kept = ''
  let from = 0
  let isOpen = false
  for (const { 0: tag, index } of text.matchAll(/<\/?think(?:ing)?>/gi)) {
    const closes = tag[1] === '/'
    if (!isOpen) kept = closes ? '' : kept + text.slice(from, index)
    isOpen = !closes
    from = index + tag.length
  }
  return isOpen ? kept : kept + text.slice(from)
}

function fromJson(text: string): string {
  if (!/^\s*["{[]/.test(text)) return text
  try {
    const found = strings(JSON.parse(text))
    return found.length > 0 ? found.join('\n\n') : text
  } catch {
    return text
  }
}

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (value === null || typeof value !== 'object') return []
  return Object.values(value).flatMap(strings)
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

function decode(entity: string, name: string): string {
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  if (name.startsWith('#')) return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
  return entities[name.toLowerCase()] ?? entity
}

function withoutMarkup(text: string, original: string): string {
  let plain = text
  if (!original.includes('*')) plain = plain.replace(/^[ \t]*\*[ \t*]*$/gm, '').replace(/\*/g, '')
  if (!original.includes('#')) plain = plain.replace(/^[ \t]*#{1,6}[ \t]+/gm, '')
  if (!original.includes('_')) plain = plain.replace(/(?<![\p{L}\p{N}])_{1,2}|_{1,2}(?![\p{L}\p{N}])/gu, '')
  if (!/^[ \t]*[-•–>]/m.test(original))
    plain = plain.replace(/^[ \t]*[-_=]{3,}[ \t]*$/gm, '').replace(/^[ \t]*[-•>][ \t]+/gm, '')
  return plain
}

const quotePairs = new Set(['""', '“”', '«»', '「」', '『』', "''"])

function withoutQuotes(text: string, original: string): string {
  const ends = (text[0] ?? '') + (text.at(-1) ?? '')
  return text.length > 1 && quotePairs.has(ends) && original.trim()[0] !== text[0] ? text.slice(1, -1) : text
}

/** About 80 words of a spaced script, in characters; a character of an unspaced script weighs 2.5. */
const maxUnitWeight = 450
const unspacedWeight = 2.5

/** Splits a text into paragraphs, and long ones into runs of sentences: one wrong word must not reject a page. */
export function splitIntoUnits(text: string): Unit[] {
  // Where empty lines separate the paragraphs, a single line break is only a line end.
  const separator = /\n[ \t]*\n/.test(text) ? /\n[ \t]*(?:\n[ \t]*)+/g : /\n+/g
  return split(text, 0, text.length, separator).flatMap(({ from, to }) => {
    const runs = weight(text.slice(from, to)) > maxUnitWeight ? sentenceRuns(text, from, to) : [{ from, to }]
    return runs.map((run, i) => ({ ...run, opens: i === 0, closes: i === runs.length - 1 }))
  })
}

function weight(text: string): number {
  let sum = 0
  for (const character of text) sum += unspacedScript.test(character) ? unspacedWeight : 1
  return sum
}

export type TextRange = Pick<Unit, 'from' | 'to'>

function sentenceRuns(text: string, from: number, to: number): TextRange[] {
  const runs: TextRange[] = []
  let size = 0
  for (const sentence of sentenceRanges(text, from, to)) {
    const added = weight(text.slice(sentence.from, sentence.to))
    const open = runs.at(-1)
    if (open && size + added <= maxUnitWeight) open.to = sentence.to
    else runs.push({ ...sentence })
    size = open && size + added <= maxUnitWeight ? size + added : added
  }
  return runs
}

const sentenceEnd = /[.!?…।؟۔]["'”’»)\]]*\s+|[。！？]+[”’」』）。！？]*/g
const clauseEnd = /[,;:،؛]\s+|[，、；：]/g

/** Splits a range into sentences, and overlong ones into clauses or words. */
export function sentenceRanges(text: string, from: number, to: number): TextRange[] {
  const refine = (separator: RegExp, then: (part: TextRange) => TextRange[]) => (part: TextRange) =>
    weight(text.slice(part.from, part.to)) > maxUnitWeight
      ? split(text, part.from, part.to, separator).flatMap(then)
      : [part]
  const words = refine(/\s+/g, part => [part])
  return split(text, from, to, sentenceEnd).flatMap(refine(clauseEnd, words))
}

/** Splits a range after each separator, and trims whitespace from the parts. */
function split(text: string, from: number, to: number, separator: RegExp): TextRange[] {
  const found: TextRange[] = []
  let at = from
  const add = (end: number) => {
    const part = text.slice(at, end)
    const start = at + (part.length - part.trimStart().length)
    if (part.trim() !== '') found.push({ from: start, to: start + part.trim().length })
    at = end
  }
  for (const { 0: gap, index } of text.slice(from, to).matchAll(separator)) add(from + index + gap.length)
  add(to)
  return found
}
