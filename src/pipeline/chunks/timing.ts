// Estimates times of sentences and words from detected speech, by dynamic programming over the pauses.
import { tokens } from '../../domain/tokens.ts'
import { roundToMs, type Span, secondsOf, type Word } from '../../domain/transcript.ts'

/** Relative time that a text takes to say: a letter and a word count 1, an ideograph is a syllable, a digit often two. */
function speakingTime(text: string): number {
  let sum = 0
  for (const character of text) {
    const known = characterTimes.get(character)
    const time = known ?? characterTime(character)
    if (known === undefined) characterTimes.set(character, time)
    sum += time
  }
  sum += text.match(/[\p{L}'’]+/gu)?.length ?? 0
  return Math.max(1, sum)
}

/** Of the characters so far: their classes take long to look up. */
const characterTimes = new Map<string, number>()

function characterTime(character: string): number {
  if (/\p{N}/u.test(character)) return 4
  if (/[\p{Script=Han}\p{Script=Hangul}]/u.test(character)) return 3.2
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(character)) return 2.2
  return /\p{L}/u.test(character) ? 1 : 0
}

/** A position where one sentence may end and the next begin. */
interface Boundary {
  /** Seconds of speech before it. */
  spoken: number
  /** Length of the pause in seconds, 0 inside speech. */
  pause: number
  end: number
  start: number
  /** Index of the text that is expected to end here; absent for a pause. */
  text?: number
}

/**
 * Times for texts that are spoken in sequence within these spans. Each boundary is put into a pause near the position
 * that the lengths of the texts suggest. The boundaries are the path of least total cost, so that one long sentence
 * does not shift all later ones.
 */
export function timeTexts(texts: string[], speech: Span[]): Span[] {
  if (texts.length === 0) return []
  const spans = speech.length ? speech : [{ start: 0, end: 0 }]
  const total = secondsOf(spans)
  const clauses = texts.flatMap(text =>
    clausesOf(text).map((clause, i, all) => ({ clause, isLast: i + 1 === all.length })),
  )
  const weights = clauses.map(({ clause }) => speakingTime(clause))
  const perWeight = total / weights.reduce((sum, value) => sum + value, 0)
  const lengths = weights.map(value => value * perWeight)
  const bonus = (text: number, pause: number) => pauseBonus(pause, clauses[text]!.isLast)
  const ends = chooseBoundaries(lengths, candidates(lengths, spans), total, bonus)
  const boundaries = ends.filter((_, i) => clauses[i]!.isLast)
  return texts.map((_, i) => ({
    start: roundToMs(i === 0 ? spans[0]!.start : boundaries[i - 1]!.start),
    end: roundToMs(i === texts.length - 1 ? spans.at(-1)!.end : boundaries[i]!.end),
  }))
}

/** Pauses at commas are as long as those between sentences that follow one another closely. */
export function clausesOf(text: string): string[] {
  return text.split(/(?<=[,;:—–]\s)|(?<=[，、；：])/u)
}

/** Within speech without pauses an end is tried this often: the pace of a speaker is not that of the chunk. */
const secondsBetweenTries = 0.7

/** All pauses, and for texts that end without one the ends that their lengths suggest, and some between. */
function candidates(lengths: number[], spans: Span[]): Boundary[] {
  const found: Boundary[] = []
  let spoken = 0
  for (const [i, { start, end }] of spans.entries()) {
    const parts = Math.floor((end - start) / secondsBetweenTries)
    for (let part = 1; part < parts; part++) {
      const within = ((end - start) * part) / parts
      found.push({ spoken: spoken + within, pause: 0, end: start + within, start: start + within })
    }
    spoken += end - start
    const next = spans[i + 1]?.start
    if (next !== undefined) found.push({ spoken, pause: next - end, end, start: next })
  }
  let expected = 0
  for (const [text, length] of lengths.slice(0, -1).entries()) {
    expected += length
    const at = timeAfter(expected, spans)
    found.push({ spoken: expected, pause: 0, end: at, start: at, text })
  }
  return found.sort((a, b) => a.spoken - b.spoken || a.start - b.start)
}

/** The time in the recording after this many seconds of speech. */
export function timeAfter(spokenSeconds: number, spans: Span[]): number {
  let left = spokenSeconds
  for (const span of spans) {
    if (left <= span.end - span.start) return span.start + left
    left -= span.end - span.start
  }
  return spans.at(-1)?.end ?? 0
}

/** The parts of the spans between two times. */
export function within(spans: readonly Span[], from: number, to: number): Span[] {
  return spans
    .map(({ start, end }) => ({ start: Math.max(start, from), end: Math.min(end, to) }))
    .filter(({ start, end }) => end > start)
}

/** Boundaries on either side of the expected one that are tried as a text's end: trying all would take too long. */
const searchRadius = 75
/** Cost saved by ending a text in a pause of full length. */
const maxPauseBonus = { sentence: 3, clause: 2 }
const fullPauseSeconds = 0.6
/** Cost that a sentence saves by each doubling of a pause longer than any within it. */
const longPauseBonus = 0.5
const longPauseSeconds = 1.5

/** Minimises the squared deviation of each sentence's length from the expected one, less a bonus for long pauses. */
function chooseBoundaries(
  lengths: number[],
  all: Boundary[],
  total: number,
  bonus: (text: number, pause: number) => number,
): Boundary[] {
  const count = lengths.length - 1
  if (count < 1) return []
  const spoken = Float64Array.from(all, boundary => boundary.spoken)
  const spread = (text: number) => 0.25 + 0.25 * lengths[text]!
  const expected = new Int32Array(count)
  for (const [k, { text }] of all.entries()) if (text !== undefined) expected[text] = k
  const first = (i: number) => Math.max(0, expected[i]! - searchRadius)
  const last = (i: number) => Math.min(all.length - 1, expected[i]! + searchRadius)

  // For each text: the least cost of ending at each boundary near the expected one, and the end of the text before it.
  let best = new Float64Array(all.length)
  for (let k = first(0); k <= last(0); k++)
    best[k] = deviation(spoken[k]!, lengths[0]!, spread(0)) - bonus(0, all[k]!.pause)
  const cameFrom: Int32Array[] = []
  let next = new Float64Array(all.length)
  for (let i = 1; i < count; i++) {
    const [length, own] = [lengths[i]!, spread(i)]
    const start = first(i)
    const from = new Int32Array(last(i) + 1 - start)
    const [earliest, latest] = [first(i - 1), last(i - 1) + 1]
    for (let k = start; k < start + from.length; k++) {
      const p = cheapestStart(best, spoken, earliest, Math.min(k, latest), spoken[k]!, length, own)
      from[k - start] = p
      next[k] = p < 0 ? Number.POSITIVE_INFINITY : best[p]! + deviation(spoken[k]! - spoken[p]!, length, own)
      next[k]! -= bonus(i, all[k]!.pause)
    }
    ;[best, next] = [next, best]
    cameFrom.push(from)
  }
  let end = expected[count - 1]!
  const whole = (k: number) => best[k]! + deviation(total - spoken[k]!, lengths[count]!, spread(count))
  for (let k = first(count - 1); k <= last(count - 1); k++) if (whole(k) < whole(end)) end = k
  const chosen = [end]
  for (let i = count - 2; i >= 0; i--) chosen.unshift(cameFrom[i]![chosen[0]! - first(i + 1)]!)
  return chosen.map(k => all[k]!)
}

/** Squared deviation of a text's seconds from the expected ones. */
function deviation(seconds: number, expected: number, spread: number): number {
  return ((seconds - expected) / spread) ** 2
}

/**
 * The boundary before `end` from which a text that ends after so many `seconds` costs least; -1 where there is none. All
 * time goes here: on arrays of numbers alone, V8 optimises it once.
 */
function cheapestStart(
  best: Float64Array,
  spoken: Float64Array,
  earliest: number,
  end: number,
  seconds: number,
  length: number,
  spread: number,
): number {
  let least = Number.POSITIVE_INFINITY
  let found = -1
  for (let p = earliest; p < end; p++) {
    const value = best[p]! + deviation(seconds - spoken[p]!, length, spread)
    if (value < least) {
      least = value
      found = p
    }
  }
  return found
}

/** No sentence goes on over a minute of music, however its length suggests it, also not at a comma. */
function pauseBonus(pause: number, isLast: boolean): number {
  const full = Math.min(1, pause / fullPauseSeconds)
  if (!isLast) return maxPauseBonus.clause * full
  return maxPauseBonus.sentence * full + longPauseBonus * Math.max(0, Math.log2(pause / longPauseSeconds))
}

/** Words of a sentence: its clauses end in pauses where they may, and in each the words take time by their lengths. */
export function timeWords(text: string, span: Span, speech: Span[]): Word[] {
  const inside = within(speech, span.start, span.end)
  const spans = inside.length ? inside : [span]
  const clauses = clausesOf(text)
  const times = timeTexts(clauses, spans)
  return clauses.flatMap((clause, i) => timeClause(clause, times[i]!, spans))
}

/** The last word before a pause is said more slowly, by about a tenth of a second; in these scripts a word is a syllable. */
const lastWordBonus = 2
const hasSyllables = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u

function timeClause(text: string, span: Span, speech: Span[]): Word[] {
  const words = tokens(text).map(({ start, end }) => text.slice(start, end))
  const inside = within(speech, span.start, span.end)
  const spans = inside.length ? inside : [span]
  const weights = words.map((word, i) => {
    const isSlow = i + 1 === words.length && !hasSyllables.test(word)
    return speakingTime(word) + (isSlow ? lastWordBonus : 0)
  })
  const totalWeight = weights.reduce((sum, value) => sum + value, 0)
  const perWeight = secondsOf(spans) / Math.max(1, totalWeight)
  let spoken = 0
  return words.map((word, i) => {
    const from = timeAfter(spoken, spans)
    spoken += weights[i]! * perWeight
    return { text: word, start: roundToMs(from), end: roundToMs(timeAfter(spoken, spans)) }
  })
}
