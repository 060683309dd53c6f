// Fake text model: punctuates by the surrounding words alone, or answers as a test says.
import type { TextAnswer, TextModel } from '../../../src/domain/text-model.ts'

/** A request, with its parsed prompt. */
export interface ReceivedRequest {
  /** Number of the request, from 0. */
  index: number
  /** Text in the last pair of tags of the user message. */
  text: string
  /** Text in the pair of tags before it. */
  before: string
  system: string
  user: string
  maxTokens: number
  /** Reports the number of characters written so far. */
  onText(written: number): void
}

type Answer = string | Partial<TextAnswer>

export interface FakeTextModelOptions {
  models?: string[]
  /** Number of concurrent requests. */
  concurrency?: number
  /** Answers or throws, at once or later; by default answers with the punctuated text. */
  answer?: (request: ReceivedRequest) => Answer | Promise<Answer>
}

export interface FakeTextModel extends TextModel {
  requests: ReceivedRequest[]
  /** Highest number of concurrent requests so far. */
  peak(): number
  /** Number of aborted requests. */
  aborted(): number
  /** Resolves after this many requests. */
  waitForRequests(count: number): Promise<void>
}

export const usagePerRequest = { inputTokens: 100, outputTokens: 10 }
export const costPerRequest = 0.001

export function fakeTextModel({
  models = ['quill'],
  concurrency = 32,
  answer = ({ text }) => punctuate(text),
}: FakeTextModelOptions = {}): FakeTextModel {
  const requests: ReceivedRequest[] = []
  const waiting: { count: number; go(): void }[] = []
  let [running, peak, aborted] = [0, 0, 0]
  return {
    models,
    concurrency,
    requests,
    peak: () => peak,
    aborted: () => aborted,
    waitForRequests: count =>
      new Promise(go => {
        if (requests.length >= count) go()
        else waiting.push({ count, go })
      }),
    async generate({ system, user, maxTokens }, { signal, onText = () => {} }) {
      signal.throwIfAborted()
      const { text: parsed, before } = parsePrompt(user)
      const request: ReceivedRequest = {
        index: requests.length,
        text: parsed,
        before,
        system,
        user,
        maxTokens,
        onText,
      }
      requests.push(request)
      for (const { count, go } of waiting) if (requests.length >= count) go()
      peak = Math.max(peak, ++running)
      try {
        const response = await abortable(signal, async () => answer(request))
        const { text = '', ...rest } = typeof response === 'string' ? { text: response } : response
        onText(text.length >> 1)
        onText(text.length)
        return {
          text,
          whole: true,
          model: models[0]!,
          usage: usagePerRequest,
          costUsd: costPerRequest,
          ...rest,
        }
      } catch (error) {
        if (signal.aborted) aborted++
        throw error
      } finally {
        running--
      }
    },
  }
}

async function abortable<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([work(), aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Parses a user message: the text in the last pair of tags, each on a line of its own, and the context in a pair before it. */
export function parsePrompt(user: string): { text: string; before: string; frame: string } {
  const close = [...user.matchAll(/^<\/([\w-]+)>$/gm)].at(-1)
  const frame = close?.[1] ?? ''
  const open = `<${frame}>\n`
  const from = user.indexOf(open)
  if (!close || from < 0) return { text: user, before: '', frame }
  const shown = /^<([\w-]+)>\n([\s\S]*)\n<\/\1>\n$/.exec(user.slice(0, from))
  return { text: user.slice(from + open.length, close.index - 1), before: shown?.[2] ?? '', frame }
}

/** Creates latches that hold answers back until a test opens them. */
export function createLatches() {
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

const unspacedScript = '\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Thai}'
const unit = new RegExp(`([${unspacedScript}]\\p{M}*[。！？，、]*|[^\\s${unspacedScript}]+)(\\s*)`, 'gu')
const chinese = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}]/u
const marked = /[.!?…؟。！？]["'”»)」]*$/
const ends = { often: 0.09, paragraph: 0.2 }

interface Unit {
  text: string
  gap: string
  key: string
}

/** Adds full stops, capitals and paragraphs; their positions depend on at most two words to either side. */
export function punctuate(text: string): string {
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
    const chance = hashToUnit(around(units, i))
    const isEnd = /[\p{L}\p{M}\p{N}]$/u.test(text) && (isLast || chance < ends.often)
    written += begins ? capital(text) : text
    if (isEnd) written += stopFor(text)
    begins = isEnd || marked.test(text)
    const opens = begins && !isLast && hashToUnit(`paragraph ${around(units, i)}`) < ends.paragraph
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

/** Hashes a text to a number from 0 to 1. */
function hashToUnit(text: string): number {
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
