// Builds dist/ before any test runs, so that tests that start the program never start yesterday's build.
import { buildDist } from '../../scripts/build.mjs'

/** Each project of the test run asks for it; one build serves them all. */
let built: Promise<void> | undefined

export default async function setup(): Promise<void> {
  built ??= buildDist()
  await built
}
