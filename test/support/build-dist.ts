// Builds dist/ before any test runs, so that tests that start the program never start yesterday's build.
import { buildDist } from '../../scripts/build.mjs'
import { pruneRecordings } from './audio/make-audio.ts'

export default async function setup(): Promise<void> {
  await Promise.all([buildDist(), pruneRecordings()])
}
