// Memory of the server: what it has used is given to the next calls before the system gives it more.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { startRawStdio } from '../../support/e2e/raw-stdio.ts'
import { fixture, type System, startSystem } from '../../support/e2e/system.ts'

const probe = new URL('../../support/e2e/churn.mjs', import.meta.url)

let system: System
beforeAll(async () => {
  system = await startSystem()
  await system.call('transcribe_audio', { audio: fixture('voice-note.ogg') })
})
afterAll(() => system.close())

/** Sizes of the heap in MB, while about 20 MB of objects are alive. */
async function churn(server: ReturnType<typeof startRawStdio>['server']) {
  let said = ''
  server.stderr.on('data', piece => {
    said += String(piece)
  })
  server.kill('SIGUSR2')
  const sizes = await vi.waitFor(() => /^churned (.*)\n/m.exec(said)![1]!)
  return JSON.parse(sizes) as { young: number; peak: number }
}

it('the heap of a server that has searched stays near what is alive', async () => {
  const { server, ask, close } = startRawStdio({ ...system.env, NODE_OPTIONS: `--import ${probe}` }, true)
  const { result } = await ask('tools/call', {
    name: 'search_transcripts',
    arguments: { query: 'the' },
  })
  expect(result).toMatchObject({ structuredContent: { transcripts: expect.any(Array) } })
  const { young, peak } = await churn(server)
  expect(young).toBeLessThan(10)
  expect(peak).toBeLessThan(80)
  await close()
})
