// Formats text by rule: adds punctuation, capitals and paragraphs, and keeps all words.
import { seededRandom } from '../../../seeded-random.ts'
import { withoutFillers } from './fillers.ts'
import { normalizedWord, splitWords, type Word } from './words.ts'

const sentenceEnd = /[.!?…。！？؟।։។။]["'»”’)\]」』）]*$/u
/** A sentence boundary is the best one among this many words to either side: a dozen words a sentence on average. */
const windowWords = 6
/** A punctuated sentence up to this length stays whole. */
const maxPunctuatedWords = 60
/** An unpunctuated one up to this length stays whole. */
const maxUnpunctuatedWords = 25
const maxSentenceWords = 40

const questionWords =
  /^(?:what|why|how|where|who|when|что|почему|зачем|как|где|кто|когда|هل|لماذا|كيف|متى|أين)$/u
const conjunctions = new Set(
  'and but so then because well и а но потом поэтому ثم لكن 然后 但是 因为 所以 那么 それから でも そして แล้ว แต่'.split(
    ' ',
  ),
)
const englishWords = new Set('the that was and have'.split(' '))
const daysAndMonths =
  /^(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|april|june|july|august|september|october|november|december)(?:['’]s)?[,;:.?!]*$/
const hanOrKana = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u
const withoutPunctuation = /[\p{Script=Thai}\p{Script=Lao}]/u
// Scripts that begin sentences with a capital letter.
const capitalisable =
  /^[^\p{L}\p{N}]*([\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}])/u

/**
 * Keeps every word, except fillers with `clean`. A boundary depends only on the words around it, not on where the text
 * begins.
 */
export function format(text: string, { clean }: { clean: boolean }): string {
  const lines = text.split(/\s*[\n\r\u2028\u2029]\s*/).filter(line => line.trim())
  return lines
    .flatMap(line => {
      const words = splitWords(line)
      return paragraphs(sentences(clean ? withoutFillers(words) : words))
    })
    .join('\n\n')
}

function sentences(given: Word[]): Word[][] {
  const words = withCapitals(given)
  const found: Word[][] = []
  let from = 0
  for (const to of sentenceEnds(words)) {
    found.push(punctuate(words.slice(from, to), words, to))
    from = to
  }
  return found
}

/** Sentence ends, as indexes after their last words. */
function sentenceEnds(words: Word[]): number[] {
  const costs = words.map((_word, at) => boundaryCost(words, at))
  const found: number[] = []
  let from = 0
  for (let at = 0; at < words.length; at++) {
    if (at !== words.length - 1 && !sentenceEnd.test(words[at]!.text)) continue
    const maxWords = sentenceEnd.test(words[at]!.text) ? maxPunctuatedWords : maxUnpunctuatedWords
    if (at + 1 - from > maxWords) found.push(...bestBoundaries(words, costs, from, at + 1))
    from = at + 1
    found.push(from)
  }
  return found
}

/** Cost of a sentence end after a word: the lower, the more likely. */
function boundaryCost(words: Word[], at: number): number {
  const costs = seededRandom(...[-1, 0, 1].map(step => normalizedWord(words[at + step])))
  const next = normalizedWord(words[at + 1])
  if (conjunctions.has(normalizedWord(words[at]))) return 1 + costs
  if (conjunctions.has(next)) return costs / 4
  return binds(normalizedWord(words[at]), next) ? 0.6 + costs : costs
}

/** True for short words, which bind to the next word, and for Japanese endings, which bind to the previous one. */
function binds(word: string, next: string): boolean {
  if (/^\p{Script=Hiragana}{1,2}$/u.test(next)) return true
  return [...word].length <= 3 && !hanOrKana.test(word)
}

function bestBoundaries(words: Word[], costs: number[], from: number, to: number): number[] {
  const found: number[] = []
  let last = from
  for (let at = from; at < to - 3; at++) {
    const free = normalizedWord(words[at]) !== '' && normalizedWord(words[at + 1]) !== ''
    if (!free || !(isMinimum(costs, at) || at + 1 - last >= maxSentenceWords)) continue
    last = at + 1
    found.push(last)
  }
  return found
}

function isMinimum(costs: number[], at: number, window = windowWords): boolean {
  for (let other = Math.max(0, at - window); other <= Math.min(costs.length - 1, at + window); other++) {
    if (costs[other]! < costs[at]! || (other < at && costs[other] === costs[at])) return false
  }
  return true
}

/** Adds a capital letter, the final punctuation and, in Chinese and Japanese, commas. */
function punctuate(sentence: Word[], all: Word[], to: number): Word[] {
  const words = sentence.map(word => ({ ...word }))
  const first = words[0]!
  first.text = first.text.replace(capitalisable, start =>
    start.toUpperCase().toLowerCase() === start ? start.toUpperCase() : start,
  )
  addCommas(words)
  const last = words.at(-1)!
  if (sentenceEnd.test(last.text) || normalizedWord(last) === '' || /[:\p{Pd}]$/u.test(last.text))
    return words
  const around = [last, all[to - 2], all[to]].map(word => word?.text ?? '')
  const stop = stopFor(around, sentence)
  if (stop === ' ') last.gap ||= ' '
  else last.text = last.text.replace(/[,;،؛，、；]$/u, '') + stop
  if (hanOrKana.test(stop) || '。？'.includes(stop)) last.gap = ''
  return words
}

/** Capitalises days, months and the English "I". */
function withCapitals(words: Word[]): Word[] {
  const isEnglish = words.some(word => englishWords.has(normalizedWord(word)))
  return words.map(({ text, gap }) => {
    if (daysAndMonths.test(text)) return { text: text.charAt(0).toUpperCase() + text.slice(1), gap }
    if (isEnglish && /^i(?:['’][a-z]+)?[,;:.?!]*$/.test(text)) return { text: `I${text.slice(1)}`, gap }
    return { text, gap }
  })
}

function stopFor([last = '', ...around]: string[], sentence: Word[]): string {
  const asks = questionWords.test(normalizedWord(sentence[0]))
  if (withoutPunctuation.test(last)) return ' '
  const roman = /[\p{Script=Latin}\p{N}]/u.test(last)
  if (hanOrKana.test(last) || (roman && around.some(word => hanOrKana.test(word)))) {
    return /[吗呢么]$/u.test(last) ? '？' : '。'
  }
  if (/\p{Script=Arabic}/u.test(last)) return asks ? '؟' : '.'
  if (/\p{Script=Devanagari}/u.test(last)) return '।'
  if (/\p{Script=Khmer}/u.test(last)) return '។'
  if (/\p{Script=Myanmar}/u.test(last)) return '။'
  return asks ? '?' : '.'
}

function addCommas(words: Word[]): void {
  if (!words.some(word => hanOrKana.test(word.text))) return
  const comma = words.some(word => /[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(word.text)) ? '、' : '，'
  const costs = words.map((_word, at) => boundaryCost(words, at))
  for (let at = 2; at < words.length - 3; at++) {
    const word = words[at]!
    const unpunctuated = hanOrKana.test(word.text.slice(-1)) && hanOrKana.test(words[at + 1]!.text[0]!)
    if (!unpunctuated || !isMinimum(costs, at, 3)) continue
    word.text += comma
    word.gap = ''
  }
}

/** Groups sentences into paragraphs of a few each. */
function paragraphs(sentences: Word[][]): string[] {
  const found: string[] = []
  let text = ''
  let count = 0
  for (const [at, sentence] of sentences.entries()) {
    for (const { text: word, gap } of sentence) text += word + gap
    const next = sentences[at + 1]
    count++
    if (
      next &&
      !(
        count > 1 && seededRandom('paragraph', normalizedWord(sentence.at(-1)), normalizedWord(next[0])) < 0.3
      ) &&
      count < 8
    ) {
      continue
    }
    found.push(text.trim())
    text = ''
    count = 0
  }
  return found
}
