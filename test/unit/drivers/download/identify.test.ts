// The identity of a recording on the internet: from which headers it is made, and when it is refused.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createDownloader } from '../../../../src/drivers/download/download.ts'
import { anyAddress, downloadFailure, megabyte, redirect } from '../../../support/servers/download-server.ts'
import { certificate, type HttpsServer, startHttpsServer } from '../../../support/servers/https-server.ts'

let server: HttpsServer
beforeAll(async () => {
  server = await startHttpsServer()
})
beforeEach(() => {
  server.requestedPaths.length = 0
})
afterAll(() => server.close())

const html = (response: ServerResponse) =>
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html>secret')
const large = { etag: '"large"', 'content-length': 1_000_001 }

describe('the identity of a recording', () => {
  function identify(url: string, { maxBytes = megabyte, signal = new AbortController().signal } = {}) {
    return createDownloader({ allows: anyAddress, ca: certificate }).identify(url, { maxBytes, signal })
  }
  const serve = (headers: Record<string, string | number>) =>
    server.serve('/recording', response => response.writeHead(200, headers).end('sound'))
  const facts = { etag: '"one"', 'last-modified': 'Sun, 01 Mar 2026 10:00:00 GMT', 'content-length': 5 }

  it('the identity is the same while the content is the same', async () => {
    const first = await identify(serve(facts))
    expect(first).toEqual(expect.any(String))
    expect(await identify(serve({ ...facts, date: 'Mon, 02 Mar 2026 10:00:00 GMT' }))).toBe(first)
  })

  it.each([
    ['ETag', { etag: '"two"' }],
    ['modification date', { 'last-modified': 'Sun, 01 Mar 2026 10:00:01 GMT' }],
  ])('the identity changes with the %s', async (_, change) => {
    const first = await identify(serve(facts))
    expect(await identify(serve({ ...facts, ...change }))).not.toBe(first)
  })

  it('the identity changes with the length', async () => {
    const { 'content-length': _, ...unsized } = facts
    expect(await identify(serve(unsized))).not.toBe(await identify(serve(facts)))
  })

  it('the identity can be an ETag or a modification date alone', async () => {
    const identities = [
      await identify(serve({ etag: facts.etag })),
      await identify(serve({ 'last-modified': facts.etag })),
    ]
    expect(identities).toEqual([expect.any(String), expect.any(String)])
    expect(identities[0]).not.toBe(identities[1])
  })

  it('the identity is unknown when there is only a length', async () => {
    expect(await identify(serve({ 'content-length': 5 }))).toBeUndefined()
  })

  it('the identity is requested with GET, and the connection closes before the body', async () => {
    let method: string | undefined
    let closed: Promise<unknown> | undefined
    const url = server.serve('/long', (response, request) => {
      method = request.method
      closed = once(response, 'close')
      response.writeHead(200, { ...facts, 'content-length': 900_000 })
      response.write('x')
    })
    expect(await identify(url)).toContain('900000')
    await closed
    expect(method).toBe('GET')
  })

  it('the identity is found behind a redirect', async () => {
    const direct = await identify(serve(facts))
    expect(await identify(server.serve('/old', redirect('/recording')))).toBe(direct)
  })

  it.each([
    [
      'a status',
      'DOWNLOAD_FAILED',
      (response: ServerResponse) => response.writeHead(403, facts).end('secret'),
    ],
    ['a web page', 'NOT_AUDIO', html],
    ['a redirect to a private address', 'URL_REFUSED', redirect('http://10.0.0.1/')],
    [
      'a large recording',
      'TOO_LARGE',
      (response: ServerResponse) => response.writeHead(200, large).write('x'),
    ],
  ])('the identity is refused like a download: %s', async (_, code, answer) => {
    const url = server.serve('/refused', response => void answer(response))
    expect(await downloadFailure(identify(url))).toMatchObject({ code })
  })

  it('the identity is never requested from this machine', async () => {
    serve(facts)
    const guarded = createDownloader({ ca: certificate })
    const { signal } = new AbortController()
    const work = guarded.identify(`https://localhost:${server.port}/recording`, { maxBytes: 10, signal })
    expect(await downloadFailure(work)).toMatchObject({ code: 'URL_REFUSED' })
    expect(server.requestedPaths).toEqual([])
  })

  it('a caller that aborts does not wait for the identity', async () => {
    const stop = new AbortController()
    const url = server.serve('/silent', () => stop.abort(new Error('enough')))
    await expect(identify(url, { signal: stop.signal })).rejects.toThrow('enough')
  })
})
