// The viewer of a transcript whose job goes on: in the process of the job, and in another one.
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { ViewerData } from '../../../src/viewer/page/contract.ts'
import { makeSpacedRecording } from '../../support/audio/spaced-recording.ts'
import { entry, type System, startSystem } from '../../support/e2e/system.ts'
import { addressOf } from '../../support/view-address.ts'

let system: System

beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.close())

async function resource(uri: string): Promise<string> {
  const { contents } = await system.client.readResource({ uri })
  return (contents[0] as { text: string }).text
}

/** `speech-mcp view` beside the server. */
async function openView(id: string) {
  const child = spawn(process.execPath, [entry, 'view', id], {
    env: system.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = Promise.all([text(child.stdout), text(child.stderr)])
  const result = ended.then(([stdout, stderr]) => ({ code: null, stdout, stderr }))
  const url = await addressOf({ child, result })
  return {
    data: async () => (await (await fetch(`${url}data.json`)).json()) as ViewerData,
    waveform: () => fetch(`${url}waveform`),
    async close() {
      child.kill('SIGINT')
      await ended
    },
  }
}

it('the page shows a running transcript as far as it is, and all of it when it is done', async () => {
  const { file, texts } = await makeSpacedRecording(system.folder, 4)
  const off = system.dashscope.fault({ kind: 'held', every: 2 })
  const started = await system.call('transcribe_audio', { audio: file, wait_seconds: 0 })
  const id: string = started.data.transcript_id
  const here = async () => JSON.parse(await resource(`ui://speech/viewer/${id}`)) as ViewerData
  const some = await vi.waitFor(
    async () => {
      const data = await here()
      expect(data.rows.length).toBeGreaterThan(0)
      return data
    },
    { timeout: 20_000 },
  )
  expect(some.status).toBe('running')
  // Its length is not known yet.
  await expect(resource(`ui://speech/viewer/${id}/waveform`)).rejects.toThrow('no picture of this sound yet')
  const view = await openView(some.id)
  try {
    expect(await view.data()).toMatchObject({ id: some.id, status: 'running' })
    off()
    await vi.waitFor(async () => expect((await here()).status).toBe('completed'), { timeout: 30_000 })
    const done = await here()
    expect(done.revision).not.toBe(some.revision)
    expect(await resource(`ui://speech/viewer/${some.id}/revision`)).toBe(done.revision)
    const elsewhere = await view.data()
    expect(elsewhere.revision).toBe(done.revision)
    const said = elsewhere.rows.map(row => row.text).join(' ')
    for (const one of texts) expect(said).toContain(one.split(' ').at(-1))
    expect((await view.waveform()).status).toBe(200)
  } finally {
    await view.close()
  }
})
