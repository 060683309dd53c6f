// The list of rounds, in the order in which they run.
import type { Round } from '../core/round.ts'
import { answers } from './answers.ts'
import { calls } from './calls.ts'
import { manyClients } from './clients.ts'
import { clocks } from './clocks.ts'
import { damage } from './damage.ts'
import { disk } from './disk.ts'
import { ffmpeg } from './ffmpeg.ts'
import { kills } from './kills.ts'
import { recordings } from './recordings.ts'
import { search } from './search.ts'
import { uploads } from './uploads.ts'

export const rounds: readonly Round[] = [
  recordings,
  clocks,
  calls,
  answers,
  ffmpeg,
  manyClients,
  kills,
  disk,
  damage,
  search,
  uploads,
]
