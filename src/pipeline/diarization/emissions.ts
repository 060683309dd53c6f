// Emission likelihoods of the alignment HMM: how well each text token fits a speaker token, or a speaker by time.
import type { Span } from '../../domain/transcript.ts'
import { isTurnOver, nextTurn, sortInTurns } from '../../domain/waiting/turns.ts'
import type { ClockOffset } from './clock-offset.ts'
import type { TimedToken, TimedTokens } from './timed-tokens.ts'
import { distanceToSpans } from './turns.ts'

/** Nodes of the HMM: the tokens of the speaker recognition, in order of time. */
export interface Nodes {
  count: number
  /** Time in seconds, on the clock of the text. */
  at: Float64Array
  key: string[]
  /** Index of the speaker; `noSpeaker` where the provider gave none. */
  speaker: Int32Array
  noSpeaker: number
  /** The node of the next and the previous token in the sentence, or -1. */
  next: Int32Array
  previous: Int32Array
  /** 1 where another speaker speaks at about the same time. */
  overlapped: Uint8Array
  measured: boolean
}

/**
 * Relative likelihoods for each text token: of the nodes in a window, and of each speaker as an insertion, a token that
 * the speaker recognition lacks.
 */
export interface Emissions {
  /** The window of token i contains the nodes from `from[i]` up to `to[i]`; its values begin at `base[i]`. */
  from: Int32Array
  to: Int32Array
  base: Int32Array
  node: Float32Array
  /** 1 where the token and the node are the same word. */
  isMatch: Uint8Array
  /** Row of token i: each speaker, then no speaker. */
  insertion: Float32Array
}

/** Tokens further apart in time are not the same word; more where words of either side are not timed. */
const windowSeconds = 2.5
const untimedWindowSeconds = 8
/** Turns this close may overlap. */
const overlapSeconds = 0.3
/** Nodes on either side of the nearest, so that broken times cost no memory. */
const maxCandidates = 60
/** Scale of the time error, in seconds: bounds where words are timed, and the value where they are not. */
const minTimeScale = 0.08
const maxTimeScale = 0.5
const untimedTimeScale = 1.5
/** A node further from a text token than the nearest equal one, by this many scales, is an echo. */
const echoScales = 4
/** Lower bound, as any time may be an error of the provider. */
const minTimeLikelihood = 0.002
/** A word a second or two beside a turn belongs to that speaker more likely than to none. */
const besideTurnLikelihood = 0.2
/** A word that the speaker recognition lacks, said by a speaker, and by none. */
const insertionLikelihood = 0.35
const noSpeakerLikelihood = 0.004

export async function buildNodes(
  speakerTokens: TimedTokens,
  speakers: Map<number, number>,
  turns: Span[][],
  offsetSeconds: number,
): Promise<Nodes> {
  const { tokens, sentences } = speakerTokens
  const order = await sortInTurns([...tokens.keys()], (a, b) => tokens[a]!.at - tokens[b]!.at)
  const count = order.length
  const rank = new Int32Array(count)
  order.forEach((token, node) => {
    rank[token] = node
  })
  const inSameSentence = (a: number, b: number) =>
    tokens[a] && tokens[a].sentence === tokens[b]?.sentence ? rank[b]! : -1
  const nodes: Nodes = {
    count,
    at: new Float64Array(count),
    key: [],
    speaker: new Int32Array(count),
    noSpeaker: speakers.size,
    next: new Int32Array(count),
    previous: new Int32Array(count),
    overlapped: new Uint8Array(count),
    measured: sentences.every(({ measured }) => measured),
  }
  for (const [node, token] of order.entries()) {
    if (isTurnOver()) await nextTurn()
    const { at, key, sentence } = tokens[token]!
    const speaker = speakers.get(sentences[sentence]!.speaker ?? -1) ?? speakers.size
    const isOverlapped = turns.some(
      (spans, s) => s !== speaker && distanceToSpans(at, spans) < overlapSeconds,
    )
    nodes.at[node] = at - offsetSeconds
    nodes.key.push(key)
    nodes.speaker[node] = speaker
    nodes.next[node] = inSameSentence(token, token + 1)
    nodes.previous[node] = inSameSentence(token, token - 1)
    nodes.overlapped[node] = isOverlapped ? 1 : 0
  }
  return nodes
}

export async function computeEmissions(
  textTokens: TimedTokens,
  nodes: Nodes,
  turns: Span[][],
  clockOffset: ClockOffset,
): Promise<Emissions> {
  const { tokens } = textTokens
  const isTimed = nodes.measured && textTokens.sentences.every(({ measured }) => measured)
  const windows = await windowsOf(tokens, nodes, isTimed ? windowSeconds : untimedWindowSeconds)
  const { offsetSeconds, spreadSeconds } = clockOffset
  const scale = isTimed
    ? Math.min(maxTimeScale, Math.max(minTimeScale, spreadSeconds / Math.LN2))
    : untimedTimeScale
  const timeLikelihood = (seconds: number) => Math.max(minTimeLikelihood, Math.exp(-seconds / scale))
  const turnLikelihood = (seconds: number) =>
    Math.max(timeLikelihood(seconds), besideTurnLikelihood * Math.exp(-1.5 * seconds))
  const wordLikelihood = await createWordLikelihood(tokens, nodes)
  const nearestMatch = isTimed ? await nearestMatchSeconds(tokens, nodes) : undefined
  const size = windows.base[tokens.length]!
  const emissions: Emissions = {
    ...windows,
    node: new Float32Array(size),
    isMatch: new Uint8Array(size),
    insertion: new Float32Array(tokens.length * (nodes.noSpeaker + 1)),
  }
  for (const [i, { key, at }] of tokens.entries()) {
    if (isTurnOver()) await nextTurn()
    for (let k = windows.from[i]!, cell = windows.base[i]!; k < windows.to[i]!; k++, cell++) {
      const distance = Math.abs(at - nodes.at[k]!)
      // An echo ("…nineteen." "Nineteen?") is not the word that it repeats.
      const isEcho = nearestMatch !== undefined && distance > nearestMatch[k]! + echoScales * scale
      const isMatch = key === nodes.key[k] && !isEcho
      emissions.node[cell] = wordLikelihood(key, isEcho ? '' : nodes.key[k]!) * timeLikelihood(distance)
      emissions.isMatch[cell] = isMatch ? 1 : 0
    }
    const row = i * (nodes.noSpeaker + 1)
    for (let s = 0; s < nodes.noSpeaker; s++) {
      const distance = distanceToSpans(at + offsetSeconds, turns[s]!)
      emissions.insertion[row + s] = insertionLikelihood * turnLikelihood(distance)
    }
    emissions.insertion[row + nodes.noSpeaker] = noSpeakerLikelihood
  }
  return emissions
}

/** Seconds from each node to the nearest text token with the same key. */
async function nearestMatchSeconds(tokens: TimedToken[], { at, key, count }: Nodes): Promise<Float64Array> {
  const times = new Map<string, number[]>()
  for (const { key, at } of tokens) {
    if (isTurnOver()) await nextTurn()
    const own = times.get(key)
    if (own) own.push(at)
    else times.set(key, [at])
  }
  for (const own of times.values()) own.sort((a, b) => a - b)
  const seconds = new Float64Array(count)
  for (let k = 0; k < count; k++) {
    if (isTurnOver()) await nextTurn()
    const own = times.get(key[k]!) ?? []
    const next = firstFrom(own, own.length, at[k]!)
    const before = own[next - 1] ?? Number.NEGATIVE_INFINITY
    const after = own[next] ?? Number.POSITIVE_INFINITY
    seconds[k] = Math.min(at[k]! - before, after - at[k]!)
  }
  return seconds
}

async function windowsOf(tokens: TimedToken[], { at, count }: Nodes, seconds: number) {
  const [from, to] = [new Int32Array(tokens.length), new Int32Array(tokens.length)]
  const base = new Int32Array(tokens.length + 1)
  for (const [i, token] of tokens.entries()) {
    if (isTurnOver()) await nextTurn()
    const nearest = firstFrom(at, count, token.at)
    from[i] = Math.max(firstFrom(at, count, token.at - seconds), nearest - maxCandidates)
    to[i] = Math.max(from[i]!, Math.min(firstFrom(at, count, token.at + seconds), nearest + maxCandidates))
    base[i + 1] = base[i]! + to[i]! - from[i]!
  }
  return { from, to, base }
}

/** Index of the first time at or after `time`; `times` is sorted. */
function firstFrom(times: ArrayLike<number>, count: number, time: number): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! < time) low = middle + 1
    else high = middle
  }
  return low
}

/** Added to the tokens of a text: a short one shows only a few of the words that might be said. */
const smoothingTokens = 200
const minSimilarChars = 4

/** Rates two words: a match counts more the rarer the word, a difference less the worse the speaker model. */
async function createWordLikelihood(
  tokens: TimedToken[],
  nodes: Nodes,
): Promise<(text: string, node: string) => number> {
  const counts = new Map<string, number>()
  const nodeKeys = new Set(nodes.key)
  let shared = 0
  for (const { key } of tokens) {
    if (isTurnOver()) await nextTurn()
    counts.set(key, (counts.get(key) ?? 0) + 1)
    if (nodeKeys.has(key)) shared++
  }
  const correct = Math.min(0.95, Math.max(0.05, shared / Math.max(1, tokens.length)))
  const wrong = Math.min(1, Math.max(0.1, 1 - correct))
  const similar = new Map<string, boolean>()
  return (text, node) => {
    if (text === node)
      return Math.min(
        300,
        Math.max(4, (correct * (tokens.length + smoothingTokens)) / (counts.get(text) ?? 1)),
      )
    if (text.length < minSimilarChars || node.length < minSimilarChars || text[0] !== node[0]) return wrong
    const pair = `${text} ${node}`
    const known = similar.get(pair) ?? isSimilar(text, node)
    similar.set(pair, known)
    return known ? 3 : wrong
  }
}

/** A misrecognised word usually begins or ends like the correct one. */
function isSimilar(one: string, other: string): boolean {
  const length = Math.min(one.length, other.length)
  let [head, tail] = [0, 0]
  while (head < length && one[head] === other[head]) head++
  while (tail < length - head && one.at(-1 - tail) === other.at(-1 - tail)) tail++
  return (head + tail) * 2 > Math.max(one.length, other.length)
}
