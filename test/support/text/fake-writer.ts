// A text model for tests of formatting: it sets marks by the words around them alone, and misbehaves when it is told to.
import type { TextAnswer, TextModel } from '../../../src/domain/text-model.ts'

/** A request as the writer has read it. */
export interface Asked {
  /** Of all that it was asked for, the first has the number 0. */
  n: number
  /** What stands in the last pair of tags of the user's message. */
  text: string
  /** What stands in a pair before it. */
  before: string
  system: string
  user: string
  maxTokens: number
  /** Hears how much is written. */
  onText(written: number): void
}

type Answer = string | Partial<TextAnswer>

export interface WriterWish {
  models?: string[]
  /** How many requests may be under way at once. */
  concurrency?: number
  /** What it answers, at once or later; or it throws. Without it, what `readable` makes of the text. */
  answer?: (asked: Asked) => Answer | Promise<Answer>
}

export interface Writer extends TextModel {
  asked: Asked[]
  /** Most requests that were under way at once. */
  peak(): number
  /** Requests that were called off. */
  stopped(): number
  /** Resolves when so many have been asked for. */
  reaches(count: number): Promise<void>
}

export const usageOfOne = { inputTokens: 100, outputTokens: 10 }
export const costOfOne = 0.001

export function writer({
  models = ['quill'],
  concurrency = 32,
  answer = ({ text }) => readable(text),
}: WriterWish = {}): Writer {
  const asked: Asked[] = []
  const waiting: { count: number; go(): void }[] = []
  let [underWay, peak, stopped] = [0, 0, 0]
  return {
    models,
    concurrency,
    asked,
    peak: () => peak,
    stopped: () => stopped,
    reaches: count =>
      new Promise(go => {
        if (asked.length >= count) go()
        else waiting.push({ count, go })
      }),
    async generate({ system, user, maxTokens }, { signal, onText = () => {} }) {
      signal.throwIfAborted()
      const { text: said, before } = framed(user)
      const one: Asked = { n: asked.length, text: said, before, system, user, maxTokens, onText }
      asked.push(one)
      for (const { count, go } of waiting) if (asked.length >= count) go()
      peak = Math.max(peak, ++underWay)
      try {
        const given = await unless(signal, async () => answer(one))
        const { text = '', ...rest } = typeof given === 'string' ? { text: given } : given
        onText(text.length >> 1)
        onText(text.length)
        return { text, whole: true, model: models[0]!, usage: usageOfOne, costUsd: costOfOne, ...rest }
      } catch (error) {
        if (signal.aborted) stopped++
        throw error
      } finally {
        underWay--
      }
    },
  }
}

async function unless<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let leave = () => {}
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave)
  })
  try {
    return await Promise.race([work(), left])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** The text is what stands in the last pair of tags, each on a line of its own; another pair may stand before it. */
export function framed(user: string): { text: string; before: string; frame: string } {
  const close = [...user.matchAll(/^<\/([\w-]+)>$/gm)].at(-1)
  const frame = close?.[1] ?? ''
  const open = `<${frame}>\n`
  const from = user.indexOf(open)
  if (!close || from < 0) return { text: user, before: '', frame }
  const shown = /^<([\w-]+)>\n([\s\S]*)\n<\/\1>\n$/.exec(user.slice(0, from))
  return { text: user.slice(from + open.length, close.index - 1), before: shown?.[2] ?? '', frame }
}

/** Lets answers wait until a test wants them. */
export function gates() {
  const opened = new Map<number, () => void>()
  const passed = new Map<number, Promise<void>>()
  const at = (n: number) => {
    if (!passed.has(n)) passed.set(n, new Promise(open => opened.set(n, open)))
    return passed.get(n)!
  }
  return {
    wait: (n: number) => at(n),
    open(n: number) {
      at(n)
      opened.get(n)!()
    },
  }
}

const closeScript = '\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Thai}'
const unit = new RegExp(`([${closeScript}]\\p{M}*[。！？，、]*|[^\\s${closeScript}]+)(\\s*)`, 'gu')
const chinese = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}]/u
const marked = /[.!?…؟。！？]["'”»)」]*$/
const ends = { often: 0.09, paragraph: 0.2 }

interface Unit {
  text: string
  gap: string
  key: string
}

/** The same words with full stops, capitals and paragraphs; where they fall depends on two words to either side at most. */
export function readable(text: string): string {
  return text
    .split(/[\r\n\u2028\u2029]+/)
    .filter(line => line.trim())
    .map(line => paragraphsOf(line.trim()))
    .join('\n\n')
}

function paragraphsOf(line: string): string {
  const units = [...line.matchAll(unit)].map(
    ([, text = '', gap = '']): Unit => ({ text, gap, key: text.toLowerCase().replace(/\P{L}/gu, '') }),
  )
  let written = ''
  let begins = true
  for (const [i, { text, gap }] of units.entries()) {
    const isLast = i === units.length - 1
    const likeness = chance(around(units, i))
    const isEnd = /[\p{L}\p{M}\p{N}]$/u.test(text) && (isLast || likeness < ends.often)
    written += begins ? capital(text) : text
    if (isEnd) written += stopFor(text)
    begins = isEnd || marked.test(text)
    const opens = begins && !isLast && chance(`paragraph ${around(units, i)}`) < ends.paragraph
    const isTight = isEnd && chinese.test(text)
    written += opens ? '\n\n' : isEnd && !isTight && !gap ? ' ' : isTight ? '' : gap
  }
  return written.trim()
}

function around(units: Unit[], i: number): string {
  const keys = [units[i]!.key]
  for (let k = i - 1; k >= i - 2 && units[k] && !marked.test(units[k]!.text); k--) keys.unshift(units[k]!.key)
  for (let k = i + 1; k <= i + 2 && units[k] && !marked.test(units[k - 1]!.text); k++)
    keys.push(units[k]!.key)
  return keys.join(' ')
}

/** From 0 to 1, the same for the same text. */
function chance(text: string): number {
  let sum = 0x811c9dc5
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193)
  sum = Math.imul(sum ^ (sum >>> 15), 0x2c1b3c6d)
  return ((sum ^ (sum >>> 13)) >>> 0) / 2 ** 32
}

function capital(word: string): string {
  return word.replace(/^[^\p{L}\p{N}]*\p{Ll}/u, head => {
    const raised = head.toUpperCase()
    return raised.toLowerCase() === head ? raised : head
  })
}

function stopFor(word: string): string {
  if (/\p{sc=Thai}/u.test(word)) return ''
  return chinese.test(word) ? '。' : '.'
}
