// Lays words out in the lines of a cue: one speaker in one or two lines, two speakers in a line each.
import type { Segment } from '../../domain/transcript.ts'
import type { Rules } from './presets.ts'
import { addSizes, charsOf, type Size, scriptOf, sizeOf } from './script.ts'
import type { Unit } from './units.ts'

/** Words `[from, to)` of a line, and the name or dash before them. */
export interface LineRange {
  from: number
  to: number
  prefix: string
}

export interface Layout {
  lines: LineRange[]
  cost: number
}

export interface LayoutOptions {
  rules: Rules
  language: string | undefined
  /** Names of speakers, short enough for any word to fit beside or below; undefined where the text shows none. */
  names: ReadonlyMap<Segment['speaker'], string> | undefined
}

const secondLineCost = 0.2
/** Share of the cost that a break has between lines, and its cost behind a name alone. */
const [lineBreakShare, loneNameCost] = [0.3, 2]
const noSize: Size = { narrow: 0, wide: 0, bits: 0 }
const allBits = [1, 2, 4, 8]

/** Measures ranges of words in constant time. */
export type Measure = ReturnType<typeof createMeasure>

export function createMeasure(units: Unit[], { rules, language, names }: LayoutOptions) {
  const sums = [{ ...noSize, words: 0, counts: [0, 0, 0, 0] }]
  /** Sum of the words before one. Made when asked for, as those of hours would block the event loop. */
  const sumBefore = (at: number) => {
    while (sums.length <= at) {
      const { size, text } = units[sums.length - 1]!
      const { narrow, wide, words, counts } = sums.at(-1)!
      sums.push({
        narrow: narrow + size.narrow,
        wide: wide + size.wide,
        bits: 0,
        words: words + text.split(' ').length - 1,
        counts: counts.map((count, i) => count + (size.bits & allBits[i]! ? 1 : 0)),
      })
    }
    return sums[at]!
  }
  const endsWithSpace = (to: number) => (units[to - 1]!.text.endsWith(' ') ? 1 : 0)
  /** Size of a line without the space at its end. */
  const sizeOfRange = (from: number, to: number): Size => {
    if (to === from) return noSize
    const [b, a] = [sumBefore(to), sumBefore(from)]
    let bits = 0
    for (const [i, bit] of allBits.entries()) if (b.counts[i]! > a.counts[i]!) bits |= bit
    return { narrow: b.narrow - a.narrow - endsWithSpace(to), wide: b.wide - a.wide, bits }
  }
  const fullness = (size: Size) => {
    const script = scriptOf(size, language)
    return charsOf(size, script) / rules.lineChars[script]
  }
  return {
    /** Share of a line that the words fill, with a prefix. */
    fullness: (from: number, to: number, prefix = '') =>
      fullness(addSizes(sizeOf(prefix), sizeOfRange(from, to))),
    /** Index of the word at which the speaker changes within a range: its end if none does, undefined if several do. */
    changeWithin(from: number, to: number): number | undefined {
      let change = to
      for (let i = from + 1; i < to; i++) {
        if (units[i]!.speaker === units[i - 1]!.speaker) continue
        if (change !== to) return undefined
        change = i
      }
      return change
    },
    /** The name before a word whose speaker differs from that of the word before it. */
    prefixOf(at: number): string {
      const { speaker } = units[at]!
      const name = names?.get(speaker)
      return name === undefined || (at > 0 && units[at - 1]!.speaker === speaker) ? '' : `${name}: `
    },
    /** Seconds to read lines, by characters and by words. */
    readingSeconds(lines: LineRange[]): number {
      const [from, to] = [lines[0]!.from, lines.at(-1)!.to]
      const prefixes = lines.map(({ prefix }) => prefix).join('')
      const size = addSizes(sizeOf(prefixes), sizeOfRange(from, to))
      const script = scriptOf(size, language)
      const byChars = charsOf(size, script) / rules.charsPerSecond[script]
      if (script !== 'spaced' || !rules.wordsPerSecond) return byChars
      const words = sumBefore(to).words - sumBefore(from).words + (prefixes.match(/\S+/g)?.length ?? 0)
      return (words + 1 - endsWithSpace(to)) / rules.wordsPerSecond
    },
  }
}

/** Returns the best lines for words `[from, to)`; undefined if they do not fit. A lone word always fits. */
export function layOut(
  units: Unit[],
  measure: Measure,
  [from, to]: [number, number],
  { rules, names }: LayoutOptions,
): Layout | undefined {
  const change = measure.changeWithin(from, to)
  if (change === undefined) return undefined
  if (change < to) {
    const prefixes = names ? [measure.prefixOf(from), measure.prefixOf(change)] : [dash, dash]
    const lines = [
      { from, to: change, prefix: prefixes[0]! },
      { from: change, to, prefix: prefixes[1]! },
    ]
    const isSoon = units[change]!.start - units[from]!.start <= maxAnswerSeconds
    const fits =
      isSoon &&
      rules.maxLines > 1 &&
      lines.every(line => measure.fullness(line.from, line.to, line.prefix) <= 1)
    return fits ? { lines, cost: secondLineCost } : undefined
  }
  const prefix = rules.hasNames ? measure.prefixOf(from) : ''
  const lines = [{ from, to, prefix }]
  if (measure.fullness(from, to, prefix) <= 1) return { lines, cost: 0 }
  return rules.maxLines > 1 ? inTwoLines(units, measure, [from, to], prefix) : undefined
}

/** An answer that comes later would be read before it is given. */
const maxAnswerSeconds = 2
const dash = '- '

function inTwoLines(
  units: Unit[],
  measure: Measure,
  [from, to]: [number, number],
  prefix: string,
): Layout | undefined {
  let best: Layout | undefined
  for (let at = prefix ? from : from + 1; at < to; at++) {
    const first = measure.fullness(from, at, prefix)
    if (first > 1) break
    const second = measure.fullness(at, to)
    if (second > 1) continue
    const breakCost = at === from ? loneNameCost : units[at - 1]!.cost * lineBreakShare
    const cost = secondLineCost + breakCost + Math.abs(first - second)
    if (best && best.cost <= cost) continue
    best = {
      cost,
      lines: [
        { from, to: at, prefix },
        { from: at, to, prefix: '' },
      ],
    }
  }
  return best
}
