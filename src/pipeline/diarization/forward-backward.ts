// Follows the text through the words of who spoke: how likely each speaker is for each word, all that is known weighed.

import type { Emissions, Nodes } from './emissions.ts'
import { speakerChangeProbability } from './phrase-breaks.ts'
import type { TimedToken, TimedWord } from './timed-tokens.ts'

export interface Posteriors {
  /** Row of each sound: how likely each speaker is, then nobody; they add up to 1. */
  speakers: Float64Array
  /** How likely it is that the other hearing has this very sound there. */
  match: Float64Array
}

/** From a word to the same again, to the next of its sentence, or past one or two that only the other side has. */
const [again, steps] = [0.01, [0.9, 0.04, 0.015]]
/** A sentence is left at its end and entered at its beginning; a word off it is rarer, inside rare, unless two speak at once. */
const edges = [1, 0.3]
const [inside, crossed] = [0.05, 0.7]
/** Beginning to say, and going on to say, what the other hearing lacks. */
const [stray, wander] = [0.3, 0.6]
/** From one sentence to another of the same speaker. */
const same = 0.5
/** Nobody takes over within a word. */
const never = 1e-6

/** How values flow: in the direction of time, or against it. */
interface Direction {
  step: 1 | -1
  /** Where a place's value comes from. */
  link: Int32Array
  leave: Float64Array
  enter: Float64Array
}

interface Values {
  node: Float64Array
  insertion: Float64Array
}

/**
 * A hidden Markov model. Hidden is which word of who spoke is being said, or, where that hearing lacks it, only by whom.
 * Values go through the text forward and backward, so that each word is judged by what comes before and behind it.
 * Unlike an alignment in order it can follow two who speak at once, one of them a word and back to the other.
 */
export function forwardBackward(
  sounds: TimedToken[],
  words: TimedWord[],
  places: Nodes,
  evidence: Emissions,
): Posteriors {
  const { next, previous, count } = places
  const begins = Float64Array.from({ length: count }, (_, k) => edge(k, previous, places))
  const ends = Float64Array.from({ length: count }, (_, k) => edge(k, next, places))
  const change = Float64Array.from(sounds, ({ word }, i) =>
    i > 0 && word === sounds[i - 1]!.word ? never : speakerChangeProbability(words, word),
  )
  const pass = createPass(places, evidence, change)
  const forward = pass({ step: 1, link: previous, leave: ends, enter: begins })
  const backward = pass({ step: -1, link: next, leave: begins, enter: ends })
  return both(forward, backward, places, evidence)
}

function edge(place: number, link: Int32Array, places: Nodes): number {
  let step = place
  for (const share of edges) {
    step = link[step]!
    if (step < 0) return share
  }
  return places.overlapped[place] ? crossed : inside
}

function createPass(places: Nodes, evidence: Emissions, change: Float64Array) {
  const { from, to, base } = evidence
  const { speaker, count } = places
  const classes = places.noSpeaker + 1

  return ({ step, link, leave, enter }: Direction): Values => {
    const values = {
      node: new Float64Array(evidence.node.length),
      insertion: new Float64Array(evidence.insertion.length),
    }
    const [leaving, arriving] = [new Float64Array(classes).fill(1 / classes), new Float64Array(classes)]
    // What the places held for the word before, so that a place is found without asking for its window.
    const held = new Float64Array(count)
    const length = from.length
    for (let i = step > 0 ? 0 : length - 1, left = length; left > 0; i += step, left--) {
      const isFirst = left === length
      mix(leaving, isFirst ? same : change[step > 0 ? i : i + 1]!, arriving)
      let total = 0
      for (let k = from[i]!, cell = base[i]!; k < to[i]!; k++, cell++) {
        let value = enter[k]! * arriving[speaker[k]!]! + again * held[k]!
        for (let s = 0, at = link[k]!; s < steps.length && at >= 0; s++, at = link[at]!)
          value += steps[s]! * held[at]!
        values.node[cell] = value * evidence.node[cell]!
        total += values.node[cell]!
      }
      for (let c = 0, cell = i * classes; c < classes; c++, cell++) {
        const gone = isFirst ? 0 : wander * values.insertion[cell - step * classes]!
        values.insertion[cell] = (stray * arriving[c]! + gone) * evidence.insertion[cell]!
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
        leaving[c]! += stray * values.insertion[cell]!
      }
    }
    return values
  }
}

/** Most goes on with the same speaker; to others it goes as easily as the boundary lets it. */
function mix(leaving: Float64Array, change: number, into: Float64Array): void {
  const total = leaving.reduce((sum, value) => sum + value, 0)
  for (let c = 0; c < leaving.length; c++) into[c] = same * leaving[c]! + change * (total - leaving[c]!)
}

/** Both passes weighed the word itself: it counts once. */
function both(forward: Values, backward: Values, places: Nodes, evidence: Emissions): Posteriors {
  const { from, to, base } = evidence
  const classes = places.noSpeaker + 1
  const speakers = new Float64Array(evidence.insertion.length)
  const alike = new Float64Array(from.length)
  for (let i = 0; i < from.length; i++) {
    const row = i * classes
    let total = 0
    for (let k = from[i]!, cell = base[i]!; k < to[i]!; k++, cell++) {
      const belief = (forward.node[cell]! * backward.node[cell]!) / evidence.node[cell]!
      speakers[row + places.speaker[k]!]! += belief
      if (evidence.isMatch[cell]) alike[i]! += belief
      total += belief
    }
    for (let c = row; c < row + classes; c++) {
      const belief = (forward.insertion[c]! * backward.insertion[c]!) / evidence.insertion[c]!
      speakers[c]! += belief
      total += belief
    }
    for (let c = row; c < row + classes; c++) speakers[c]! /= total
    alike[i]! /= total
  }
  return { speakers, match: alike }
}
