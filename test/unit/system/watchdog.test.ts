// The shell that ends process groups with a killed program: nothing fails without one.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createWatchdog } from '../../../src/system/watchdog.ts'
import { tempFolder } from '../../support/e2e/system.ts'

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

/** A shell that notes its begin and its end. */
async function loggedShell() {
  const { path: folder, remove } = await tempFolder()
  onTestFinished(remove)
  const [shell, log] = [join(folder, 'shell'), join(folder, 'log')]
  const program = `#!/bin/sh\necho begins >> ${log}\n/bin/sh "$@"\necho ends >> ${log}\n`
  await writeFile(shell, program, { mode: 0o700 })
  return { shell, log: () => readFile(log, 'utf8') }
}

it('a shell ends although the program that it was started for never began', async () => {
  const { shell, log } = await loggedShell()
  createWatchdog(shell, 200).prepare()
  await vi.waitFor(async () => expect(await log()).toBe('begins\nends\n'), 10_000)
})

it('one shell watches groups that follow each other, and ends some time after the last of them', async () => {
  const { shell, log } = await loggedShell()
  const { prepare, watch, unwatch } = createWatchdog(shell, 200)
  for (const group of [2 ** 30, 2 ** 30 + 1, 2 ** 30 + 2]) {
    prepare()
    watch(group)
    unwatch(group)
  }
  await vi.waitFor(async () => expect(await log()).toBe('begins\nends\n'), 10_000)
})
