// A wrong or missing API key is reported at once and not retried.
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectRefusal, makeAudio } from '../../support/e2e/requests.ts'
import { fixture, type System, startSystem } from '../../support/e2e/system.ts'

const asked: string[] = []
/** Proxies requests to an emulator, which counts only requests with the right key. */
const counter = createServer((request, response) => {
  asked.push(request.url!)
  const { method, headers, url } = request
  const onward = forward(new URL(url!, inner.dashscope.url), { method, headers }, answer => {
    response.writeHead(answer.statusCode!, answer.headers)
    answer.pipe(response)
  })
  request.pipe(onward.on('error', () => response.destroy()))
})
let inner: System

beforeAll(async () => {
  inner = await startSystem()
  await new Promise<void>(ready => counter.listen(0, '127.0.0.1', ready))
})
afterAll(async () => {
  counter.closeAllConnections()
  counter.close()
  await inner.close()
})

async function withKey<T>(
  key: string,
  work: (system: System) => Promise<T>,
  more: Record<string, string> = {},
): Promise<T> {
  const address = `http://127.0.0.1:${(counter.address() as AddressInfo).port}/api/v1`
  const env = { DASHSCOPE_API_KEY: key, DASHSCOPE_BASE_URL: address, SPEECH_CONCURRENCY: '2', ...more }
  const system = await startSystem({ env })
  asked.length = 0
  try {
    return await work(system)
  } finally {
    await system.close()
  }
}

it.each(['sk-wrong-0123456789', 'sk-emulator2'])('the key %s is refused and never printed', async key => {
  const text = await withKey(key, system => expectRefusal(system, fixture('voice-note.ogg'), 'KEY_REFUSED'))
  expect(text).toContain('DASHSCOPE_API_KEY')
  expect(text).not.toContain(key)
  expect(asked.length).toBe(1)
})

it('a long recording with a wrong key fails after the first responses', async () => {
  const args = ['-stream_loop', '5', '-i', fixture('interview.mp3'), '-c', 'copy']
  await withKey('sk-wrong', async system => {
    const audio = await makeAudio(system, 'long.mp3', args)
    await expectRefusal(system, audio, 'KEY_REFUSED')
  })
  expect(asked.length).toBeGreaterThan(0)
  expect(asked.length).toBeLessThanOrEqual(3)
})

it.each(['', ' ', `\${user_config.api_key}`])('without a key (%j) no request is sent', async key => {
  // A server on a private network may need none.
  const cloud = { DASHSCOPE_BASE_URL: 'https://dashscope.invalid/api/v1' }
  const refusal = (system: System) => expectRefusal(system, fixture('voice-note.ogg'), 'KEY_MISSING')
  const text = await withKey(key, refusal, cloud)
  expect(text).toContain('DASHSCOPE_API_KEY')
})
