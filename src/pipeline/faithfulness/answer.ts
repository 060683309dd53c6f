// A model's answer without what hangs around the text, in the paragraphs and runs of sentences that are judged.
import { closeScript } from './normalized-text.ts'

export interface Unit {
  /** `[from, to)` in the answer, without blanks at either end. */
  from: number
  to: number
  /** True where the answer begins a paragraph with it, and where it ends one. */
  opens: boolean
  closes: boolean
}

/** Takes off thoughts, fences, tags, quotes and markup that the original has not. What is left may still hold foreign sentences. */
export function unwrap(answer: string, original: string): string {
  let text = answer.replace(/\r\n?/g, '\n')
  if (!/<think/i.test(original)) text = withoutThoughts(text)
  text = fromJson(text)
  if (!original.includes('`')) text = text.replace(/^[ \t]*```.*$/gm, '').replaceAll('`', '')
  if (!original.includes('<'))
    text = text.replace(/<\/?[a-z][\w-]*(?:\s[^<>\n]*)?\/?>/gi, tag => (/^<br/i.test(tag) ? '\n' : ''))
  if (!/&#?\w+;/.test(original)) text = text.replace(/&(#\d+|#x[\da-f]+|\w+);/gi, decode)
  if (!text.includes('\n') && !original.includes('\\')) text = text.replaceAll('\\n', '\n')
  return withoutQuotes(withoutMarkup(text, original).trim(), original)
}

/** What stands outside of them; one that was never closed goes on to the end, one that was never opened began before. */
function withoutThoughts(text: string): string {
  let said = ''
  let from = 0
  let isOpen = false
  for (const { 0: tag, index } of text.matchAll(/<\/?think(?:ing)?>/gi)) {
    const closes = tag[1] === '/'
    if (!isOpen) said = closes ? '' : said + text.slice(from, index)
    isOpen = !closes
    from = index + tag.length
  }
  return isOpen ? said : said + text.slice(from)
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

const pairs = new Set(['""', '“”', '«»', '「」', '『』', "''"])

function withoutQuotes(text: string, original: string): string {
  const ends = (text[0] ?? '') + (text.at(-1) ?? '')
  return text.length > 1 && pairs.has(ends) && original.trim()[0] !== text[0] ? text.slice(1, -1) : text
}

/** Letters of a spaced script in some 80 words; a sign of a close script counts for two and a half. */
const longestRun = 450
const closeWeight = 2.5

/** The paragraphs; one that is long, in runs of whole sentences, so that one slip does not cost a page. */
export function unitsOf(text: string): Unit[] {
  // Where empty lines part the paragraphs, a single break is only the end of a line.
  const parting = /\n[ \t]*\n/.test(text) ? /\n[ \t]*(?:\n[ \t]*)+/g : /\n+/g
  return stretches(text, 0, text.length, parting).flatMap(({ from, to }) => {
    const runs = weight(text.slice(from, to)) > longestRun ? runsOf(text, from, to) : [{ from, to }]
    return runs.map((run, i) => ({ ...run, opens: i === 0, closes: i === runs.length - 1 }))
  })
}

function weight(text: string): number {
  let sum = 0
  for (const sign of text) sum += closeScript.test(sign) ? closeWeight : 1
  return sum
}

type Stretch = Pick<Unit, 'from' | 'to'>

function runsOf(text: string, from: number, to: number): Stretch[] {
  const runs: Stretch[] = []
  let size = 0
  for (const sentence of sentencesOf(text, from, to)) {
    const added = weight(text.slice(sentence.from, sentence.to))
    const open = runs.at(-1)
    if (open && size + added <= longestRun) open.to = sentence.to
    else runs.push({ ...sentence })
    size = open && size + added <= longestRun ? size + added : added
  }
  return runs
}

const sentenceEnd = /[.!?…।؟۔]["'”’»)\]]*\s+|[。！？]+[”’」』）。！？]*/g
const clauseEnd = /[,;:،؛]\s+|[，、；：]/g

/** Sentences, and of one without an end its clauses or words: whatever is short enough. */
export function sentencesOf(text: string, from: number, to: number): Stretch[] {
  const finer = (parting: RegExp, then: (part: Stretch) => Stretch[]) => (part: Stretch) =>
    weight(text.slice(part.from, part.to)) > longestRun
      ? stretches(text, part.from, part.to, parting).flatMap(then)
      : [part]
  const words = finer(/\s+/g, part => [part])
  return stretches(text, from, to, sentenceEnd).flatMap(finer(clauseEnd, words))
}

/** What lies between the ends of what parts the text, without blanks at either end. */
function stretches(text: string, from: number, to: number, parting: RegExp): Stretch[] {
  const found: Stretch[] = []
  let at = from
  const add = (end: number) => {
    const part = text.slice(at, end)
    const start = at + (part.length - part.trimStart().length)
    if (part.trim() !== '') found.push({ from: start, to: start + part.trim().length })
    at = end
  }
  for (const { 0: gap, index } of text.slice(from, to).matchAll(parting)) add(from + index + gap.length)
  add(to)
  return found
}
