// Finds tracks that hold nothing but what others hold: a second mix, a copy, the parts of a mix.

import { frameSize, minLevelDbfs } from '../audio/activity.ts'
import { framesPerBlock } from './levels.ts'
import { measureChannel } from './separate-channels.ts'
import type { Stretch } from './windows.ts'

/** Speech below 2 kHz is enough to know a sound again, and takes a sixteenth of the time. */
const decimation = 4
/** Microphones of one room receive a voice up to 10 ms apart. */
const maxLag = 40
/** Two separate sounds correlate less than this by chance, even where both are vowels. */
const minSameCorrelation = 0.7
/** Sound further below is crosstalk. */
const maxSameDistanceDb = 15
/** A track is covered by others where this share of its sound is in them: voices at once are in neither alone. */
const minCoveredShare = 0.75
/** Blocks of each track that are compared with all others. */
const maxComparedBlocks = 40
/** Tracks with about the same amount of sound: the first is kept. */
const minEqualShare = 0.95

export interface TrackSound {
  /** Tenths of a second with speech, over all windows. */
  activeBlocks: number
  /** For each compared block, the other tracks that hold the same. */
  same: Set<number>[]
}

/** `tracks` has the stretches of each track, one channel each, at the same times. */
export async function compareTracks(tracks: readonly (readonly Stretch[])[]): Promise<TrackSound[]> {
  const small = tracks.map(stretches => stretches.map(([samples]) => decimate(samples!)))
  const blocks = tracks.map(stretches => stretches.map(([samples]) => measureChannel(samples!)))
  const found: TrackSound[] = []
  for (const [track, own] of blocks.entries()) {
    // Other calls go on meanwhile.
    await new Promise(setImmediate)
    const active = own.flatMap(({ speech }, window) =>
      speech.flatMap((isSpeech, block) => (isSpeech ? [{ window, block }] : [])),
    )
    const step = Math.max(1, active.length / maxComparedBlocks)
    const compared = Array.from(
      { length: Math.min(active.length, maxComparedBlocks) },
      (_, i) => active[Math.floor(i * step)]!,
    )
    const same = compared.map(({ window, block }) => {
      const others = small.flatMap((windows, other) => {
        const levelOf = (one: number) => blocks[one]![window]?.levels[block] ?? minLevelDbfs
        if (other === track || levelOf(other) < levelOf(track) - maxSameDistanceDb) return []
        return isSame(small[track]![window]!, windows[window]!, block) ? [other] : []
      })
      return new Set(others)
    })
    found.push({ activeBlocks: active.length, same })
  }
  return found
}

/**
 * Numbers of the tracks to hear, so that each sound is heard once. `isMixed`: one track that holds all others is heard
 * instead of them; otherwise they are, as each may carry one speaker.
 */
export function withoutRepeated(sounds: readonly TrackSound[], isMixed: boolean): number[] {
  let kept = [...sounds.keys()].filter(track => sounds[track]!.activeBlocks > 0)
  const mix = kept.find(one => kept.every(other => other === one || isCovered(sounds[other]!, [one])))
  if (isMixed && mix !== undefined) return [mix]
  for (;;) {
    const repeated = kept.filter(track => isCovered(sounds[track]!, without(kept, track)))
    if (repeated.length === 0) return kept
    const most = Math.max(...repeated.map(track => sounds[track]!.activeBlocks))
    const last = repeated.findLast(track => sounds[track]!.activeBlocks >= minEqualShare * most)!
    kept = without(kept, last)
  }
}

function isCovered({ same }: TrackSound, by: readonly number[]): boolean {
  return same.filter(others => by.some(one => others.has(one))).length >= minCoveredShare * same.length
}

function without(tracks: readonly number[], one: number): number[] {
  return tracks.filter(track => track !== one)
}

/** Means of four samples each. */
function decimate(samples: Int16Array): Float32Array {
  const small = new Float32Array(Math.floor(samples.length / decimation))
  for (let i = 0; i < small.length; i++) {
    const at = i * decimation
    small[i] = samples[at]! + samples[at + 1]! + samples[at + 2]! + samples[at + 3]!
  }
  return small
}

/** The greatest correlation of a block with the other track, at any lag and of either polarity. */
function isSame(own: Float32Array, other: Float32Array, block: number): boolean {
  const length = (framesPerBlock * frameSize) / decimation
  const from = block * length
  for (let lag = -maxLag; lag <= maxLag; lag++) {
    const shift = from + lag
    if (shift < 0 || shift + length > other.length) continue
    let [product, ownPower, otherPower] = [0, 0, 0]
    for (let i = 0; i < length; i++) {
      const [a, b] = [own[from + i]!, other[shift + i]!]
      product += a * b
      ownPower += a * a
      otherPower += b * b
    }
    if (product * product > minSameCorrelation ** 2 * ownPower * otherPower) return true
  }
  return false
}
