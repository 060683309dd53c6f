// The HTTP client and a proxy: tunnels, absolute URLs, hosts that are reached directly, and proxies that fail.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { deadlines } from '../../../../src/domain/network/deadlines.ts'
import { createHttpClient, type HttpClient } from '../../../../src/drivers/http/http.ts'
import { failure } from '../../../support/failure.ts'
import { never } from '../../../support/servers/dashscope-client.ts'
import { startProxy, type TestProxy } from '../../../support/servers/proxy.ts'
import { reply, startTaskServer, type TaskServer } from '../../../support/servers/task-server.ts'

let server: TaskServer
let proxy: TestProxy
let http: HttpClient

beforeAll(async () => {
  server = await startTaskServer()
  proxy = await startProxy(() => Number(new URL(server.origin).port))
})
afterEach(async () => {
  await http.close()
  proxy.refuseWith(undefined)
  proxy.requests.length = 0
})
afterAll(async () => {
  await proxy.close()
  await server.close()
})

/** One request, with an idle time that only a silent proxy exceeds. */
function get(url: string, { exceptions = '', idleSeconds = 5 } = {}) {
  const url2 = new URL(proxy.url)
  url2.username = 'someone'
  url2.password = 's%20cret'
  http = createHttpClient({ connections: 2, proxies: { http: url2, https: url2, exceptions } })
  const deadline = { ...deadlines.task, idleSeconds, totalSeconds: idleSeconds }
  return http.request({
    method: 'GET',
    url,
    headers: { authorization: 'Bearer key' },
    signal: never,
    deadline,
  })
}

it('a request over http goes to the proxy with its whole URL, and the target sees no password of the proxy', async () => {
  server.respond(200, { ok: true })
  expect(await get('http://models.example.com:81/v1/x?y=1')).toMatchObject({
    status: 200,
    json: { ok: true },
  })
  const authorization = `Basic ${Buffer.from('someone:s cret').toString('base64')}`
  expect(proxy.requests).toEqual([{ line: 'GET http://models.example.com:81/v1/x?y=1', authorization }])
  expect(server.requests[0]).toMatchObject({ path: '/v1/x?y=1', headers: { authorization: 'Bearer key' } })
})

it('a request over https asks the proxy for a tunnel and shows it nothing else', async () => {
  server.respondWith(reply(200, {}))
  // The target speaks no TLS, so the request ends there.
  await failure(get('https://models.example.com/secret-path?key=1'))
  expect(proxy.requests.map(({ line }) => line)).toEqual(['CONNECT models.example.com:443'])
})

it.each([
  ['of this machine', () => server.origin, ''],
  ['of NO_PROXY', () => `http://no-such-host-${'x'.repeat(64)}.example.com`, 'example.com'],
])('an address %s is reached without the proxy', async (_, origin, exceptions) => {
  server.respond(200, {})
  await get(origin(), { exceptions }).catch(() => {})
  expect(proxy.requests).toEqual([])
})

it.each([
  [407, 'https://models.example.com/v1', 407],
  [403, 'https://models.example.com/v1', 403],
  [407, 'http://models.example.com/v1', 407],
])('a proxy that answers %i for %s is named, without its password', async (status, url, told) => {
  proxy.refuseWith(status)
  const error = await failure(get(url))
  expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
  expect(error.message).toBe(`GET ${url} through the proxy ${proxy.url.host} failed (${told}).`)
  expect(error.hint).toContain('HTTPS_PROXY')
  expect(JSON.stringify([error.message, error.hint, error.cause])).not.toMatch(/cret|someone/)
})

it('a proxy that is silent ends a request in time', async () => {
  proxy.refuseWith(0)
  const error = await failure(get('https://models.example.com/v1', { idleSeconds: 0.1 }))
  expect(error).toMatchObject({ code: 'PROVIDER_TIMEOUT', retryable: true })
})
