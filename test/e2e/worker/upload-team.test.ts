// Uploads to a team, and the pages of their transcripts: any server goes on, also when the one that gave the address is dead.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../support/e2e/cluster.ts'
import { fixture, plainWords, truth, truthText } from '../../support/e2e/system.ts'
import { sendByTus } from '../../support/servers/upload-server.ts'

const token = 'ann-0123456789abcdef'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster({ servers: 2, workers: 1, env: { SPEECH_TOKENS: `ann:${token}` } })
})
afterAll(() => cluster.close())

it('an upload outlives the server that began it, and a worker transcribes it', async () => {
  const file = await readFile(fixture('voice-note.ogg'))
  const { data } = await cluster.call({ token, position: 0 }, 'request_upload', { name: 'Mai.ogg' })
  const { audio, url } = data as { audio: string; url: string }
  const headers = { 'tus-resumable': '1.0.0' }
  await fetch(url, { method: 'POST', headers: { ...headers, 'upload-length': `${file.length}` } })
  const part = await fetch(url, {
    method: 'PATCH',
    headers: { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    body: file.subarray(0, 5_000),
  })
  expect(part.status).toBe(204)
  await cluster.machines[0]!.kill('SIGKILL')
  const there = new URL(new URL(url).pathname, cluster.machines[1]!.url).href
  await sendByTus(there, file, { uploadUrl: there })
  const answer = await cluster.call({ token, position: 0 }, 'transcribe_audio', { audio, wait_seconds: 60 })
  expect(answer.data).toMatchObject({ status: 'completed', title: 'Mai' })
  expect(plainWords(answer.data.text)).toBe(`[0:00] ${truthText(truth('voice-note'))}`)
})

it('the address of a page that one server gave opens at another one, with the sound of the upload', async () => {
  await cluster.killAndStart(0)
  const { data } = await cluster.call({ token, position: 0.9 }, 'search_transcripts', {})
  const [{ transcript_id }] = data.transcripts
  const answer = await cluster.call({ token, position: 0 }, 'get_transcript', { transcript_id })
  const there = new URL(new URL(answer.data.page_url).pathname, cluster.machines[1]!.url).href
  expect(new URL(there).host).not.toBe(new URL(answer.data.page_url).host)
  const shown = await fetch(`${there}data.json`)
  expect(await shown.json()).toMatchObject({ id: transcript_id, title: 'Mai' })
  const heard = await fetch(`${there}audio?from=0`)
  expect([heard.status, heard.headers.get('content-type')]).toEqual([200, 'audio/mpeg'])
})
