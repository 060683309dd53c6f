// Groups words into cues: the grouping of least cost, in which a cue that breaks a rule costs most.
import { createMeasure, type LayoutOptions, type LineRange, layOut, type Measure } from './lines.ts'
import type { Rules } from './presets.ts'
import type { Unit } from './units.ts'

/** Words `[from, to)` of one cue. */
export interface Group {
  from: number
  to: number
  lines: LineRange[]
  /** Seconds that its rules ask for: the least, and those to read it. */
  neededSeconds: number
}

/** Costs beside those of breaks: a further cue, a rule broken, an inner end of a sentence, a second of pause. */
const cueCost = 1.5
const brokenRuleCost = 25
const innerSentenceCost = 2
const pauseCost = 1.5
/** A cue that is shown for less is short, even where its rules allow it. */
const shortSeconds = 1.5
const shortCueCost = 1
/** The same for cues of a few words. */
const shortWordsSeconds = 0.4
/** No cue spans a longer pause. */
const maxPauseSeconds = 3
/** Behind so many words, the next sentence or clause begins a block, which is grouped on its own. */
const minBlockUnits = 150

/** Groups block after block. Yields nothing between two steps of a block, where the caller may take a turn. */
export function* groupUnits(units: Unit[], options: LayoutOptions): Generator<Group[]> {
  const measure = createMeasure(units, options)
  for (const block of blocksOf(units)) yield* groupBlock(units, measure, block, options)
}

function blocksOf(units: Unit[]): [from: number, to: number][] {
  const blocks: [number, number][] = []
  let from = 0
  for (let i = 1; i <= units.length; i++) {
    const [last, next] = [units[i - 1]!, units[i]]
    const isLong = i - from >= minBlockUnits && last.cost <= 1
    const isApart = !next || next.isGap || last.isGap || next.start - last.end > maxPauseSeconds
    if (!isLong && !isApart) continue
    blocks.push([from, i])
    from = i
  }
  return blocks
}

function* groupBlock(
  units: Unit[],
  measure: Measure,
  [from, to]: [number, number],
  options: LayoutOptions,
): Generator<Group[]> {
  const { rules } = options
  const best: { cost: number; group?: Group }[] = [{ cost: 0 }]
  for (let start = from; start < to; start++) {
    let inner = 0
    for (let end = start + 1; end <= to; end++) {
      if (end > start + 1) {
        if (exceeds(units, start, end, rules) || measure.fullness(start, end) > rules.maxLines + 0.1) break
        inner += innerCost(units[end - 2]!, units[end - 1]!, rules)
      }
      const layout = layOut(units, measure, [start, end], options)
      if (!layout) continue
      const { lines } = layout
      const neededSeconds = Math.max(rules.minSeconds, measure.readingSeconds(lines))
      const cost =
        best[start - from]!.cost + inner + layout.cost + costOf(units, start, end, neededSeconds, rules)
      if (cost < (best[end - from]?.cost ?? Number.POSITIVE_INFINITY))
        best[end - from] = { cost, group: { from: start, to: end, lines, neededSeconds } }
    }
    yield []
  }
  const groups: Group[] = []
  for (let end = to; end > from; ) {
    const { group } = best[end - from]!
    groups.push(group!)
    end = group!.from
  }
  yield groups.reverse()
}

function exceeds(units: Unit[], from: number, to: number, { maxSeconds, maxWords }: Rules): boolean {
  return units[to - 1]!.end - units[from]!.start > maxSeconds || to - from > (maxWords ?? to)
}

/** Words at a time keep clauses apart, too. */
function innerCost(left: Unit, right: Unit, { maxWords }: Rules): number {
  const isApart = left.cost <= (maxWords ? 1 : 0) || left.speaker !== right.speaker
  return (isApart ? innerSentenceCost : 0) + pauseCost * Math.max(0, right.start - left.end - 0.2)
}

/** Cost of a cue by the time until the next one, and of the break at its end. */
function costOf(units: Unit[], from: number, to: number, neededSeconds: number, rules: Rules): number {
  const [last, next] = [units[to - 1]!, units[to]]
  const room = (next?.start ?? Number.POSITIVE_INFINITY) - gapSeconds(rules) - units[from]!.start
  const seconds = Math.max(0.01, Math.min(room, rules.maxSeconds))
  const shortfall = neededSeconds / seconds - 1
  const broken = shortfall > 0 ? brokenRuleCost * (1 + Math.min(shortfall, 3)) : 0
  const isShort = seconds < (rules.maxWords ? shortWordsSeconds : shortSeconds)
  const endCost = last.speaker === next?.speaker ? last.cost : 0
  return cueCost + broken + (isShort ? shortCueCost : 0) + endCost
}

export function gapSeconds({ gapFrames, frameRate }: Rules): number {
  return gapFrames / frameRate
}
