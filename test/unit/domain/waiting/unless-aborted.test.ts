// Waits that a signal ends: the end of the work is awaited by no one then.
import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { unlessAborted } from '../../../../src/domain/waiting/unless-aborted.ts'

const leaving = new Error('The caller left.')

it.each([
  ['before', 0],
  ['during', 1],
])('work that fails leaves no unhandled rejection where the signal aborts %s it', async (_, turns) => {
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', note)
  try {
    const caller = new AbortController()
    if (turns === 0) caller.abort(leaving)
    const waiting = unlessAborted(
      setImmediate().then(() => Promise.reject(new Error('Broken.'))),
      caller.signal,
    )
    if (turns > 0) caller.abort(leaving)
    await expect(waiting).rejects.toBe(leaving)
    for (let turn = 0; turn < 3; turn++) await setImmediate()
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', note)
  }
})
