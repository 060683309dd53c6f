// The shell that ends process groups with a killed program: nothing fails without one.
import { expect, it } from 'vitest'
import { createWatchdog } from '../../../src/system/watchdog.ts'

it.each([
  ['is missing', '/nowhere/sh'],
  ['may not be executed', import.meta.filename],
  ['has a path that the system refuses', `${import.meta.filename}/sh`],
])('groups run unwatched where the shell %s', async (_, path) => {
  const { watch, unwatch } = createWatchdog(path)
  // Above all ids that a system gives.
  const groups = [2 ** 30, 2 ** 30 + 1] as const
  for (const group of groups) expect(() => watch(group)).not.toThrow()
  // An error that is emitted, and not handled, would fail the test.
  await new Promise(setImmediate)
  for (const group of groups) expect(() => unwatch(group)).not.toThrow()
})
