// The recordings that the demo shows: those of a clone, or the two short ones that the package contains.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface Recordings {
  folder: string
  /** A single voice. */
  note: string
  /** Long enough to be read as subtitles. */
  long: string
  /** Hannah, Viktor and Leila. */
  meeting: string
  /** True if all are there, also those that are transcribed in several chunks. */
  isClone: boolean
}

/** `entry`: main file of the program, built or not: it lies one folder below the package. */
export function findRecordings(entry: string): Recordings {
  const root = dirname(dirname(entry))
  const fixtures = join(root, 'fixtures')
  if (existsSync(join(fixtures, 'interview.mp3')))
    return {
      ...{ folder: fixtures, isClone: true },
      ...{ note: 'voice-note.ogg', long: 'interview.mp3', meeting: 'meeting.m4a' },
    }
  const folder = join(root, 'demo', 'recordings')
  return { folder, isClone: false, note: 'jfk.ogg', long: 'meeting.ogg', meeting: 'meeting.ogg' }
}
