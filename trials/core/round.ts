// Contract of a round: its parts and its input.
import type { Home, HomeOptions } from './home.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'

export interface Trial {
  tally: Tally
  random: Random
  quick: boolean
  /** Minutes for rounds that last as long as they are told to; undefined: their own default. */
  minutes: number | undefined
  /** The one under trial. */
  ffmpeg: string
  /** The ffmpeg that makes recordings where they must not depend on the one under trial. */
  maker: string
  /** Folder of the round, deleted afterwards. */
  folder: string
  /** Makes a home in a folder of its own. */
  home(name: string, options: Omit<HomeOptions, 'ffmpeg'> & { ffmpeg?: string }): Home
  seed: number
  /** The tries that were asked for, of a round that can repeat each of them; undefined: all. */
  only: { first: number; count: number } | undefined
  /** Folder for recordings of failed tries, if they are kept. */
  keep: string | undefined
  /** The number of tries in the full run, or in the quick one. */
  size(full: number, quick: number): number
}

export interface Round {
  name: string
  /** Line for `--help`. */
  summary: string
  run(trial: Trial): Promise<void>
}
