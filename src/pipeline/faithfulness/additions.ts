// Matches the remaining sentences of units to which the model added sentences, or which were cut off.
import { sentenceRanges, type TextRange, type Unit } from './answer.ts'
import { type Candidate, type ChainInput, charsIn, type Match } from './match.ts'
import { sameWords } from './normalized-text.ts'

/** Adds matches for parts of unmatched units: their other sentences may be additions of the model, or cut off. */
export function recoverFromAdditions(
  candidates: Candidate[],
  matched: Map<Unit, Match>,
  input: ChainInput,
): Match[] {
  const { contextChars } = input
  const found: Match[] = []
  let unmatched: Unit[] = []
  const end = () => {
    const last = found.at(-1)
    return last ? last.originalStart + last.length : contextChars
  }
  const closeGap = (to: number, isLast: boolean) => {
    const gap = { from: Math.max(end(), Math.min(contextChars, to)), to }
    if (unmatched.length > 0 && gap.to > gap.from) found.push(...matchGapEdges(unmatched, gap, isLast, input))
    unmatched = []
  }
  for (const { unit } of candidates) {
    const match = matched.get(unit)
    if (!match) unmatched.push(unit)
    else {
      closeGap(match.originalStart, false)
      found.push(match)
    }
  }
  closeGap(input.original.chars.length, true)
  return found
}

/** An unmatched range of the normalised original. */
interface OriginalGap {
  from: number
  to: number
}

/** Matches sentences of the units at the edges of a gap; their other sentences count as additions. */
function matchGapEdges(units: Unit[], gap: OriginalGap, isLast: boolean, input: ChainInput): Match[] {
  const [head, tail] = [units[0]!, units.at(-1)!]
  const isAlone = units.length === 1
  const whole = isAlone ? sentencesFillingGap(head, gap, input) : undefined
  if (whole) return [whole]
  const first = lastSentencesAtStart(head, gap, input)
  if (isAlone && first) return [first]
  const rest = first ? { from: first.originalStart + first.length, to: gap.to } : gap
  const last =
    firstSentencesAtEnd(tail, rest, input) ?? (isLast ? firstSentencesAtStart(tail, rest, input) : undefined)
  return [first, last].filter(match => match !== undefined)
}

/** Matches consecutive sentences of the unit that fill the whole gap. */
function sentencesFillingGap(unit: Unit, gap: OriginalGap, input: ChainInput): Match | undefined {
  const parts = partsOf(unit, input.answer.text)
  for (let i = 0; i < parts.length; i++)
    for (let j = parts.length; j > i; j--) {
      const match = matchAt(parts.slice(i, j), unit, gap.from, input)
      if (match && match.length === gap.to - gap.from) return match
    }
  return undefined
}

/** Matches the last sentences of the unit at the start of the gap. */
function lastSentencesAtStart(unit: Unit, gap: OriginalGap, input: ChainInput): Match | undefined {
  const parts = partsOf(unit, input.answer.text)
  return firstDefined(parts.length - 1, i => {
    const match = matchAt(parts.slice(i + 1), unit, gap.from, input)
    return match && match.originalStart + match.length <= gap.to ? match : undefined
  })
}

function firstDefined<T>(count: number, find: (i: number) => T | undefined): T | undefined {
  for (let i = 0; i < count; i++) {
    const found = find(i)
    if (found !== undefined) return found
  }
  return undefined
}

/** Matches the first sentences of the unit at the end of the gap. */
function firstSentencesAtEnd(unit: Unit, gap: OriginalGap, input: ChainInput): Match | undefined {
  const parts = partsOf(unit, input.answer.text)
  return firstDefined(parts.length - 1, i => {
    const some = parts.slice(0, parts.length - 1 - i)
    const { length } = charsIn(input.answer, some[0]!.from, some.at(-1)!.to)
    return gap.to - length < gap.from ? undefined : matchAt(some, unit, gap.to - length, input)
  })
}

/** Matches the first sentences of the unit at the start of the gap, for an answer that was cut off. */
function firstSentencesAtStart(unit: Unit, gap: OriginalGap, input: ChainInput): Match | undefined {
  const parts = partsOf(unit, input.answer.text)
  return firstDefined(parts.length - 1, i => {
    const match = matchAt(parts.slice(0, parts.length - 1 - i), unit, gap.from, input)
    return match && match.originalStart + match.length <= gap.to ? match : undefined
  })
}

/** A preamble such as "Sure! Here it is: …" has at most this many sentences. */
const maxPreambleSentences = 3

/** Splits a unit into sentences, the first ones also after a colon. */
function partsOf({ from, to }: Unit, text: string): TextRange[] {
  return sentenceRanges(text, from, to).flatMap((sentence, i) =>
    i < maxPreambleSentences ? splitAtColon(sentence, text) : [sentence],
  )
}

function splitAtColon({ from, to }: TextRange, text: string): TextRange[] {
  const sentence = text.slice(from, to)
  const colon = sentence.search(/[:：]/)
  if (colon < 0) return [{ from, to }]
  const rest = sentence.slice(colon + 1)
  const begin = to - rest.trimStart().length
  return [{ from, to: from + colon + 1 }, ...(begin < to ? [{ from: begin, to }] : [])]
}

/** Matches consecutive sentences of a unit at one position of the original; undefined where the words differ. */
function matchAt(
  parts: TextRange[],
  unit: Unit,
  at: number,
  { original, answer }: ChainInput,
): Match | undefined {
  const { from } = parts[0]!
  const { to } = parts.at(-1)!
  const { start, length } = charsIn(answer, from, to)
  if (length === 0 || !original.chars.startsWith(answer.chars.slice(start, start + length), at))
    return undefined
  if (!sameWords(original, at, answer, start, length)) return undefined
  const [opens, closes] = [unit.opens || from > unit.from, unit.closes || to < unit.to]
  return { from, to, opens, closes, originalStart: at, answerStart: start, length }
}
