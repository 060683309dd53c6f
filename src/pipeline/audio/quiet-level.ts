// How quiet a stretch of speech is in its pauses.

/** Nothing is said this far below loud syllables, unless the noise is as loud. */
const depthDb = 25
const minAboveNoiseDb = 6
/** Shares of the frames of a stretch that are at least as quiet as noise, and as syllables. */
const noiseShare = 0.02
const syllableShare = 0.9

/** The level below which nothing is said, in dBFS. `levels`: of the frames of the stretch. */
export function quietLevel(levels: readonly number[]): number {
  const sorted = new Float64Array(levels).sort()
  const levelAt = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!
  return Math.max(levelAt(syllableShare) - depthDb, levelAt(noiseShare) + minAboveNoiseDb)
}
