// Reads of whole transcripts: many of one owner do not hold up another's, nor the event loop.
import { expect, it, onTestFinished } from 'vitest'
import { createWorkspace } from '../../../support/jobs/harness.ts'
import { transcript } from '../../../support/transcripts.ts'

it('beside two hundred reads of one owner, another owner’s read and an event are served after a few', async () => {
  const workspace = await createWorkspace()
  onTestFinished(() => workspace.close())
  const { jobs, store } = await workspace.open()
  for (const owner of ['ann', 'bob']) await store.putTranscript(owner, transcript({ id: 't' }))
  let served = 0
  const many = Array.from({ length: 200 }, async () => {
    await jobs.read('ann', 't')
    served++
  })
  const event = new Promise<number>(resolve => setImmediate(() => resolve(served)))
  const other = jobs.read('bob', 't').then(() => served)
  expect(await event).toBeLessThan(5)
  expect(await other).toBeLessThan(20)
  await Promise.all(many)
})
