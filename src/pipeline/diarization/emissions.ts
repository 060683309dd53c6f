// How likely it is that a word of one hearing is a certain word of the other, or is said by a speaker at that time.
import type { Span } from '../../domain/transcript.ts'
import type { ClockOffset } from './clock-offset.ts'
import type { TimedToken, TimedTokens } from './timed-tokens.ts'
import { distanceToSpans } from './turns.ts'

/** The words of who spoke, by time, as places that the text can be followed through. */
export interface Nodes {
  count: number
  at: Float64Array
  key: string[]
  /** Which speaker; `nobody` where the provider gave none. */
  speaker: Int32Array
  noSpeaker: number
  /** The place of the word behind and before it in its sentence, or -1. */
  next: Int32Array
  previous: Int32Array
  /** 1 where somebody else speaks at the same time or very nearly. */
  overlapped: Uint8Array
  measured: boolean
}

/** For each word of the text its candidates: a window of places, and each speaker by time alone. Likelihoods are relative. */
export interface Emissions {
  /** The window of word i goes from `from[i]` up to `to[i]`; its values begin at `base[i]`. */
  from: Int32Array
  to: Int32Array
  base: Int32Array
  node: Float32Array
  /** 1 where both heard the same. */
  isMatch: Uint8Array
  /** Row of word i: each speaker, then nobody. */
  insertion: Float32Array
}

/** Words farther apart in time (seconds) are not the same word; more where one side's words are not timed. */
const [reach, looseReach] = [2.5, 8]
/** Who speaks within this many seconds of another may be speaking at the same time. */
const close = 0.3
/** Candidates on either side of the nearest at most, so that damaged times cost no memory. */
const mostCandidates = 60
/** Nothing is so far off in time that it could not be an error of the provider. */
const outlier = 0.002
/** A word within one or two seconds of a turn is that speaker's, who was not heard well, sooner than nobody's. */
const nextTo = 0.2
/** A word that the other hearing does not have; and one where nobody is known to speak. */
const [unheard, unknown] = [0.35, 0.004]

export function buildNodes(
  who: TimedTokens,
  speakers: Map<number, number>,
  turns: Span[][],
  offset: number,
): Nodes {
  const order = who.tokens.map((_, i) => i).sort((a, b) => who.tokens[a]!.at - who.tokens[b]!.at)
  const rank = new Int32Array(order.length)
  order.forEach((sound, place) => {
    rank[sound] = place
  })
  const sameLine = (a: number, b: number) =>
    who.tokens[a] && who.tokens[a].sentence === who.tokens[b]?.sentence ? rank[b]! : -1
  const speaker = Int32Array.from(
    order,
    i => speakers.get(who.sentences[who.tokens[i]!.sentence]!.speaker ?? -1) ?? speakers.size,
  )
  const isCrossed = (sound: number, place: number) =>
    turns.some((spans, s) => s !== speaker[place] && distanceToSpans(who.tokens[sound]!.at, spans) < close)
  return {
    count: order.length,
    at: Float64Array.from(order, i => who.tokens[i]!.at - offset),
    key: order.map(i => who.tokens[i]!.key),
    speaker,
    noSpeaker: speakers.size,
    next: Int32Array.from(order, i => sameLine(i, i + 1)),
    previous: Int32Array.from(order, i => sameLine(i, i - 1)),
    overlapped: Uint8Array.from(order, (sound, place) => (isCrossed(sound, place) ? 1 : 0)),
    measured: who.sentences.every(({ measured }) => measured),
  }
}

export function computeEmissions(
  what: TimedTokens,
  places: Nodes,
  turns: Span[][],
  clock: ClockOffset,
): Emissions {
  const { tokens } = what
  const isTimed = places.measured && what.sentences.every(({ measured }) => measured)
  const windows = windowsOf(tokens, places, isTimed ? reach : looseReach)
  const scale = isTimed ? Math.min(0.5, Math.max(0.08, clock.spreadSeconds / Math.LN2)) : 1.5
  const nearness = (seconds: number) => Math.max(outlier, Math.exp(-seconds / scale))
  const beside = (seconds: number) => Math.max(nearness(seconds), nextTo * Math.exp(-1.5 * seconds))
  const likeness = createLikeness(tokens, places)
  const owned = isTimed ? nearestAlike(tokens, places) : undefined
  const size = windows.base[tokens.length]!
  const evidence: Emissions = {
    ...windows,
    node: new Float32Array(size),
    isMatch: new Uint8Array(size),
    insertion: new Float32Array(tokens.length * (places.noSpeaker + 1)),
  }
  for (const [i, { key, at }] of tokens.entries()) {
    for (let k = windows.from[i]!, cell = windows.base[i]!; k < windows.to[i]!; k++, cell++) {
      const apart = Math.abs(at - places.at[k]!)
      // An echo ("…nineteen." "Nineteen?") is not the word that it echoes.
      const isEcho = owned !== undefined && apart > owned[k]! + 4 * scale
      const isAlike = key === places.key[k] && !isEcho
      evidence.node[cell] = likeness(key, isEcho ? '' : places.key[k]!) * nearness(apart)
      evidence.isMatch[cell] = isAlike ? 1 : 0
    }
    const row = i * (places.noSpeaker + 1)
    for (let s = 0; s < places.noSpeaker; s++)
      evidence.insertion[row + s] = unheard * beside(distanceToSpans(at + clock.offsetSeconds, turns[s]!))
    evidence.insertion[row + places.noSpeaker] = unknown
  }
  return evidence
}

/** How far each place is, in seconds, from the nearest sound of the same word. */
function nearestAlike(sounds: TimedToken[], { at, key, count }: Nodes): Float64Array {
  const times = new Map<string, number[]>()
  for (const { key, at } of sounds) {
    const own = times.get(key)
    if (own) own.push(at)
    else times.set(key, [at])
  }
  for (const own of times.values()) own.sort((a, b) => a - b)
  return Float64Array.from({ length: count }, (_, k) => {
    const own = times.get(key[k]!) ?? []
    const behind = firstFrom(own, own.length, at[k]!)
    const [before, after] = [
      own[behind - 1] ?? Number.NEGATIVE_INFINITY,
      own[behind] ?? Number.POSITIVE_INFINITY,
    ]
    return Math.min(at[k]! - before, after - at[k]!)
  })
}

function windowsOf(sounds: TimedToken[], { at, count }: Nodes, reach: number) {
  const [from, to] = [new Int32Array(sounds.length), new Int32Array(sounds.length)]
  const base = new Int32Array(sounds.length + 1)
  for (const [i, sound] of sounds.entries()) {
    const nearest = firstFrom(at, count, sound.at)
    from[i] = Math.max(firstFrom(at, count, sound.at - reach), nearest - mostCandidates)
    to[i] = Math.max(from[i]!, Math.min(firstFrom(at, count, sound.at + reach), nearest + mostCandidates))
    base[i + 1] = base[i]! + to[i]! - from[i]!
  }
  return { from, to, base }
}

function firstFrom(times: ArrayLike<number>, count: number, time: number): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! < time) low = middle + 1
    else high = middle
  }
  return low
}

/** A short recording shows only a few of the words that might be said: it counts as if so many others had been. */
const unseen = 200

/** Two words alike say the more the rarer the word is; two that differ say the less the worse one model hears. */
function createLikeness(sounds: TimedToken[], places: Nodes): (what: string, who: string) => number {
  const often = new Map<string, number>()
  const theirs = new Set(places.key)
  for (const { key } of sounds) often.set(key, (often.get(key) ?? 0) + 1)
  const shared = sounds.reduce((sum, { key }) => sum + (theirs.has(key) ? 1 : 0), 0)
  const right = Math.min(0.95, Math.max(0.05, shared / Math.max(1, sounds.length)))
  const wrong = Math.min(1, Math.max(0.1, 1 - right))
  const similar = new Map<string, boolean>()
  return (what, who) => {
    if (what === who)
      return Math.min(300, Math.max(4, (right * (sounds.length + unseen)) / (often.get(what) ?? 1)))
    if (what.length < 4 || who.length < 4 || what[0] !== who[0]) return wrong
    const pair = `${what} ${who}`
    const known = similar.get(pair) ?? isSimilar(what, who)
    similar.set(pair, known)
    return known ? 3 : wrong
  }
}

/** A misheard word mostly begins or ends like the right one. */
function isSimilar(one: string, other: string): boolean {
  const length = Math.min(one.length, other.length)
  let [head, tail] = [0, 0]
  while (head < length && one[head] === other[head]) head++
  while (tail < length - head && one.at(-1 - tail) === other.at(-1 - tail)) tail++
  return (head + tail) * 2 > Math.max(one.length, other.length)
}
