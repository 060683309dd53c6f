// What the stand-in answers when it behaves: the words of the text, with sentences and paragraphs by rule.
import { seededRandom } from '../file-tasks/seeded-random.ts'
import { withoutFillers } from './fillers.ts'
import { lettersOf, type Unit, unitsOf } from './units.ts'

const SENTENCE_END = /[.!?…。！？؟।։។။]["'»”’)\]」』）]*$/u
/** Words to either side of a border of which none looks more like one: a sentence has a dozen on average. */
const WINDOW = 6
/** What has its marks already is left alone up to this length. */
const LONG_SENTENCE = 60
/** And what has none up to this one. */
const LONG_BARE = 25
const LONGEST_SENTENCE = 40

const QUESTIONS = /^(?:what|why|how|where|who|when|что|почему|зачем|как|где|кто|когда|هل|لماذا|كيف|متى|أين)$/u
const BEGINS = new Set(
  'and but so then because well и а но потом поэтому ثم لكن 然后 但是 因为 所以 那么 それから でも そして แล้ว แต่'.split(
    ' ',
  ),
)
const ENGLISH = new Set('the that was and have'.split(' '))
const DAYS =
  /^(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|april|june|july|august|september|october|november|december)(?:['’]s)?[,;:.?!]*$/
const CHINESE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u
const WITHOUT_MARKS = /[\p{Script=Thai}\p{Script=Lao}]/u
// Scripts with capitals that begin sentences; others have letter cases for other ends.
const CAPITALS = /^[^\p{L}\p{N}]*([\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}])/u

/**
 * Never a word more or less than the text has, but for fillers where they are to go. Where a border falls depends on
 * the words around it alone, not on where the text begins.
 */
export function format(text: string, { clean }: { clean: boolean }): string {
  const lines = text.split(/\s*[\n\r\u2028\u2029]\s*/).filter(line => line.trim())
  return lines
    .flatMap(line => {
      const units = unitsOf(line)
      return paragraphs(sentences(clean ? withoutFillers(units) : units))
    })
    .join('\n\n')
}

function sentences(given: Unit[]): Unit[][] {
  const units = withCapitals(given)
  const found: Unit[][] = []
  let from = 0
  for (const to of ends(units)) {
    found.push(marked(units.slice(from, to), units, to))
    from = to
  }
  return found
}

/** Where sentences end, as places behind their last words. */
function ends(units: Unit[]): number[] {
  const value = units.map((_unit, at) => likeness(units, at))
  const found: number[] = []
  let from = 0
  for (let at = 0; at < units.length; at++) {
    if (at !== units.length - 1 && !SENTENCE_END.test(units[at]!.text)) continue
    const most = SENTENCE_END.test(units[at]!.text) ? LONG_SENTENCE : LONG_BARE
    if (at + 1 - from > most) found.push(...borders(units, value, from, at + 1))
    from = at + 1
    found.push(from)
  }
  return found
}

/** The less, the more the place behind a word looks like the end of a sentence. */
function likeness(units: Unit[], at: number): number {
  const value = seededRandom(...[-1, 0, 1].map(step => lettersOf(units[at + step])))
  const next = lettersOf(units[at + 1])
  if (BEGINS.has(lettersOf(units[at]))) return 1 + value
  if (BEGINS.has(next)) return value / 4
  return clings(lettersOf(units[at]), next) ? 0.6 + value : value
}

/** Small words hold on to what is behind them, and endings to what is before them. */
function clings(word: string, next: string): boolean {
  if (/^\p{Script=Hiragana}{1,2}$/u.test(next)) return true
  return [...word].length <= 3 && !CHINESE.test(word)
}

function borders(units: Unit[], value: number[], from: number, to: number): number[] {
  const found: number[] = []
  let last = from
  for (let at = from; at < to - 3; at++) {
    const free = lettersOf(units[at]) !== '' && lettersOf(units[at + 1]) !== ''
    if (!free || !(isLeast(value, at) || at + 1 - last >= LONGEST_SENTENCE)) continue
    last = at + 1
    found.push(last)
  }
  return found
}

function isLeast(value: number[], at: number, window = WINDOW): boolean {
  for (let other = Math.max(0, at - window); other <= Math.min(value.length - 1, at + window); other++) {
    if (value[other]! < value[at]! || (other < at && value[other] === value[at])) return false
  }
  return true
}

/** A sentence with a capital, its stop and, in Chinese and Japanese, commas. */
function marked(sentence: Unit[], all: Unit[], to: number): Unit[] {
  const units = sentence.map(unit => ({ ...unit }))
  const first = units[0]!
  first.text = first.text.replace(CAPITALS, start =>
    start.toUpperCase().toLowerCase() === start ? start.toUpperCase() : start,
  )
  addCommas(units)
  const last = units.at(-1)!
  if (SENTENCE_END.test(last.text) || lettersOf(last) === '' || /[:\p{Pd}]$/u.test(last.text)) return units
  const around = [last, all[to - 2], all[to]].map(unit => unit?.text ?? '')
  const stop = stopFor(around, sentence)
  if (stop === ' ') last.gap ||= ' '
  else last.text = last.text.replace(/[,;،؛，、；]$/u, '') + stop
  if (CHINESE.test(stop) || '。？'.includes(stop)) last.gap = ''
  return units
}

/** Of what English writes with a capital wherever it stands, the part that is no other word. */
function withCapitals(units: Unit[]): Unit[] {
  const isEnglish = units.some(unit => ENGLISH.has(lettersOf(unit)))
  return units.map(({ text, gap }) => {
    if (DAYS.test(text)) return { text: text.charAt(0).toUpperCase() + text.slice(1), gap }
    if (isEnglish && /^i(?:['’][a-z]+)?[,;:.?!]*$/.test(text)) return { text: `I${text.slice(1)}`, gap }
    return { text, gap }
  })
}

function stopFor([last = '', ...around]: string[], sentence: Unit[]): string {
  const asks = QUESTIONS.test(lettersOf(sentence[0]))
  if (WITHOUT_MARKS.test(last)) return ' '
  const roman = /[\p{Script=Latin}\p{N}]/u.test(last)
  if (CHINESE.test(last) || (roman && around.some(word => CHINESE.test(word)))) {
    return /[吗呢么]$/u.test(last) ? '？' : '。'
  }
  if (/\p{Script=Arabic}/u.test(last)) return asks ? '؟' : '.'
  if (/\p{Script=Devanagari}/u.test(last)) return '।'
  if (/\p{Script=Khmer}/u.test(last)) return '។'
  if (/\p{Script=Myanmar}/u.test(last)) return '။'
  return asks ? '?' : '.'
}

function addCommas(units: Unit[]): void {
  if (!units.some(unit => CHINESE.test(unit.text))) return
  const comma = units.some(unit => /[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(unit.text)) ? '、' : '，'
  const value = units.map((_unit, at) => likeness(units, at))
  for (let at = 2; at < units.length - 3; at++) {
    const unit = units[at]!
    const bare = CHINESE.test(unit.text.slice(-1)) && CHINESE.test(units[at + 1]!.text[0]!)
    if (!bare || !isLeast(value, at, 3)) continue
    unit.text += comma
    unit.gap = ''
  }
}

/** A few sentences each. */
function paragraphs(sentences: Unit[][]): string[] {
  const found: string[] = []
  let text = ''
  let count = 0
  for (const [at, sentence] of sentences.entries()) {
    for (const { text: word, gap } of sentence) text += word + gap
    const next = sentences[at + 1]
    count++
    if (
      next &&
      !(count > 1 && seededRandom('paragraph', lettersOf(sentence.at(-1)), lettersOf(next[0])) < 0.3) &&
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
