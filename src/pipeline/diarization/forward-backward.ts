// Forward-backward algorithm of the alignment HMM: the posterior probability of each speaker for each text token.
import { isTurnOver, nextTurn } from '../../domain/waiting/turns.ts'
import type { Emissions, Nodes } from './emissions.ts'
import { speakerChangeProbability } from './phrase-breaks.ts'
import type { TimedToken, TimedWord } from './timed-tokens.ts'

export interface Posteriors {
  /** Row of each token: each speaker, then no speaker; a row adds up to 1. */
  speakers: Float64Array
  /** Probability that the speaker recognition has the same token there. */
  match: Float64Array
}

/** Transitions from a node to itself, and to the next nodes of its sentence (skipping none, one or two). */
const repeatWeight = 0.01
const stepWeights = [0.9, 0.04, 0.015]
/** Weights of leaving or entering a sentence at its edge, a token off it, inside it, and inside it in overlap. */
const edgeWeights = [1, 0.3]
const insideWeight = 0.05
const overlappedWeight = 0.7
/** Transitions into and out of an insertion, and from one insertion to the next. */
const insertionWeight = 0.3
const insertionStepWeight = 0.6
/** Transition from one sentence to another of the same speaker. */
const sameSpeakerWeight = 0.5
/** The speaker does not change within a word. */
const withinWordChange = 1e-6

/** A pass in the direction of time, or against it. */
interface Direction {
  step: 1 | -1
  /** For each node, the node that its value comes from. */
  link: Int32Array
  leave: Float64Array
  enter: Float64Array
}

interface Values {
  node: Float64Array
  insertion: Float64Array
}

/**
 * A hidden Markov model. Its state is the token of the speaker recognition that is being said, or, for an insertion, only
 * the speaker. Unlike a monotonic alignment it can follow two overlapping speakers, a word of one and back to the other.
 */
export async function forwardBackward(
  tokens: TimedToken[],
  words: TimedWord[],
  nodes: Nodes,
  emissions: Emissions,
): Promise<Posteriors> {
  const { next, previous, count } = nodes
  const [begins, ends] = [new Float64Array(count), new Float64Array(count)]
  for (let k = 0; k < count; k++) {
    if (isTurnOver()) await nextTurn()
    begins[k] = edgeWeight(k, previous, nodes)
    ends[k] = edgeWeight(k, next, nodes)
  }
  const change = new Float64Array(tokens.length)
  for (const [i, { word }] of tokens.entries()) {
    if (isTurnOver()) await nextTurn()
    const isWithinWord = i > 0 && word === tokens[i - 1]!.word
    change[i] = isWithinWord ? withinWordChange : speakerChangeProbability(words, word)
  }
  const pass = createPass(nodes, emissions, change)
  const forward = await pass({ step: 1, link: previous, leave: ends, enter: begins })
  const backward = await pass({ step: -1, link: next, leave: begins, enter: ends })
  return combine(forward, backward, nodes, emissions)
}

function edgeWeight(node: number, link: Int32Array, nodes: Nodes): number {
  let step = node
  for (const weight of edgeWeights) {
    step = link[step]!
    if (step < 0) return weight
  }
  return nodes.overlapped[node] ? overlappedWeight : insideWeight
}

function createPass(nodes: Nodes, emissions: Emissions, change: Float64Array) {
  const { from, to, base } = emissions
  const { speaker, count } = nodes
  const classes = nodes.noSpeaker + 1

  return async ({ step, link, leave, enter }: Direction): Promise<Values> => {
    const values = {
      node: new Float64Array(emissions.node.length),
      insertion: new Float64Array(emissions.insertion.length),
    }
    const [leaving, arriving] = [new Float64Array(classes).fill(1 / classes), new Float64Array(classes)]
    // Values of the nodes at the previous token, so that a node is found without its window.
    const held = new Float64Array(count)
    const length = from.length
    for (let i = step > 0 ? 0 : length - 1, left = length; left > 0; i += step, left--) {
      if (isTurnOver()) await nextTurn()
      const isFirst = left === length
      mix(leaving, isFirst ? sameSpeakerWeight : change[step > 0 ? i : i + 1]!, arriving)
      let total = 0
      for (let k = from[i]!, cell = base[i]!; k < to[i]!; k++, cell++) {
        let value = enter[k]! * arriving[speaker[k]!]! + repeatWeight * held[k]!
        for (let s = 0, at = link[k]!; s < stepWeights.length && at >= 0; s++, at = link[at]!)
          value += stepWeights[s]! * held[at]!
        values.node[cell] = value * emissions.node[cell]!
        total += values.node[cell]!
      }
      for (let c = 0, cell = i * classes; c < classes; c++, cell++) {
        const before = isFirst ? 0 : insertionStepWeight * values.insertion[cell - step * classes]!
        values.insertion[cell] = (insertionWeight * arriving[c]! + before) * emissions.insertion[cell]!
        total += values.insertion[cell]!
      }
      if (!isFirst) held.fill(0, from[i - step]!, to[i - step]!)
      leaving.fill(0)
      for (let k = from[i]!, cell = base[i]!; k < to[i]!; k++, cell++) {
        values.node[cell]! /= total
        held[k] = values.node[cell]!
        leaving[speaker[k]!]! += leave[k]! * held[k]!
      }
      for (let c = 0, cell = i * classes; c < classes; c++, cell++) {
        values.insertion[cell]! /= total
        leaving[c]! += insertionWeight * values.insertion[cell]!
      }
    }
    return values
  }
}

/** Distributes the leaving values over the speakers: most to the same one, the rest by the probability of a change. */
function mix(leaving: Float64Array, change: number, into: Float64Array): void {
  const total = leaving.reduce((sum, value) => sum + value, 0)
  for (let c = 0; c < leaving.length; c++)
    into[c] = sameSpeakerWeight * leaving[c]! + change * (total - leaving[c]!)
}

/** Multiplies both passes; each contains the emission of the token, which counts once. */
async function combine(
  forward: Values,
  backward: Values,
  nodes: Nodes,
  emissions: Emissions,
): Promise<Posteriors> {
  const { from, to, base } = emissions
  const classes = nodes.noSpeaker + 1
  const speakers = new Float64Array(emissions.insertion.length)
  const match = new Float64Array(from.length)
  for (let i = 0; i < from.length; i++) {
    if (isTurnOver()) await nextTurn()
    const row = i * classes
    let total = 0
    for (let k = from[i]!, cell = base[i]!; k < to[i]!; k++, cell++) {
      const value = (forward.node[cell]! * backward.node[cell]!) / emissions.node[cell]!
      speakers[row + nodes.speaker[k]!]! += value
      if (emissions.isMatch[cell]) match[i]! += value
      total += value
    }
    for (let c = row; c < row + classes; c++) {
      const value = (forward.insertion[c]! * backward.insertion[c]!) / emissions.insertion[c]!
      speakers[c]! += value
      total += value
    }
    for (let c = row; c < row + classes; c++) speakers[c]! /= total
    match[i]! /= total
  }
  return { speakers, match }
}
