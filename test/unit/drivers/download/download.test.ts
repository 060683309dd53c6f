// The downloader against a real HTTPS server: what is fetched, what is refused, and where it stops.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeError, type SpeechError } from '../../../../src/domain/errors.ts'
import { isPublicAddress } from '../../../../src/drivers/download/addresses.ts'
import { createDownloader, type DownloaderOptions } from '../../../../src/drivers/download/download.ts'
import { type TempFolder, tempFolder } from '../../../support/e2e/system.ts'
import { certificate, type HttpsServer, startHttpsServer } from '../../../support/servers/https-server.ts'

let server: HttpsServer
let folder: TempFolder
let file: string
let files = 0

beforeAll(async () => {
  server = await startHttpsServer()
  folder = await tempFolder()
})
beforeEach(() => {
  file = join(folder.path, `${++files}`)
  server.requestedPaths.length = 0
})
afterAll(async () => {
  await server.close()
  await folder.remove()
})

const everywhere = () => true
const megabyte = 1_000_000

function download(
  url: string,
  { maxBytes = megabyte, signal = new AbortController().signal, ...more }: Partial<Wishes> = {},
) {
  const { onBytes, ...options } = more
  const downloader = createDownloader({ allows: everywhere, ca: certificate, ...options })
  return downloader.download(url, file, { maxBytes, signal, ...(onBytes && { onBytes }) })
}
interface Wishes extends DownloaderOptions {
  maxBytes: number
  signal: AbortSignal
  onBytes(done: number, total?: number): void
}

/** The error of a download that must fail; it never repeats what the server or the system said. */
async function failure(downloading: Promise<unknown>): Promise<SpeechError> {
  const error: SpeechError = await downloading.then(
    () => expect.fail('it was fetched'),
    reason => reason,
  )
  expect(describeError(error)).toMatch(/^[A-Z_]+: [A-Z][^\n]+?\. [A-Z][^\n]+\.$/)
  expect(describeError(error)).not.toMatch(/127\.0\.0\.1|ECONN|secret/)
  return error
}

const to = (location: string, status = 302) => {
  return (response: ServerResponse) => void response.writeHead(status, { location }).end('elsewhere')
}

const html = (response: ServerResponse) =>
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html>secret')
const large = { etag: '"large"', 'content-length': 1_000_001 }

describe('a recording on the internet', () => {
  it('is written to the file, and its bytes are told as they come', async () => {
    const body = Buffer.alloc(300_000, 'sound')
    const url = server.serve('/talk.mp3?id=1', response =>
      response.writeHead(200, { 'content-length': body.length }).end(body),
    )
    const told: [number, number | undefined][] = []
    expect(await download(url, { onBytes: (done, total) => told.push([done, total]) })).toBe(body.length)
    expect(body.equals(await readFile(file))).toBe(true)
    expect(told.at(-1)).toEqual([body.length, body.length])
  })

  it('may come without a length', async () => {
    const url = server.serve('/chunked', response => {
      response.write('one')
      response.end('two')
    })
    expect(await download(url)).toBe(6)
    expect(await readFile(file, 'utf8')).toBe('onetwo')
  })

  it('may have exactly the size that is allowed', async () => {
    const url = server.serve('/exact', response => response.end(Buffer.alloc(1000)))
    expect(await download(url, { maxBytes: 1000 })).toBe(1000)
  })

  it.each([301, 302, 303, 307, 308])('is found behind a redirect (%i)', async status => {
    server.serve('/new', response => response.end('moved'))
    const url = server.serve('/old', to('/new', status))
    expect(await download(url)).toBe(5)
    expect(server.requestedPaths).toEqual(['/old', '/new'])
  })
})

describe('a redirect', () => {
  it.each([
    ['to a private address', 'https://10.0.0.1/'],
    ['to this machine', 'https://[::1]/'],
    ['to the address that tells clouds their secrets', 'https://169.254.169.254/latest/meta-data/'],
    ['to http://', 'http://example.com/talk.mp3'],
    ['to a file', 'file:///etc/passwd'],
  ])('%s is refused', async (_, location) => {
    const url = server.serve('/away', to(location))
    const allows = (address: string) => address === '127.0.0.1'
    expect(await failure(download(url, { allows }))).toMatchObject({ code: 'URL_REFUSED' })
    expect(existsSync(file)).toBe(false)
  })

  it('to a name of a private address is refused before that is contacted', async () => {
    server.serve('/inside', response => response.end('secret'))
    const url = server.serve('/away', to(`https://localhost:${server.port}/inside`))
    const once = [true]
    const allows = () => once.pop() ?? false
    expect(await failure(download(url, { allows }))).toMatchObject({ code: 'URL_REFUSED' })
    expect(server.requestedPaths).toEqual(['/away'])
  })

  it('that leads to itself ends', async () => {
    const url = server.serve('/loop', to('/loop'))
    expect(await failure(download(url))).toMatchObject({ code: 'URL_REFUSED' })
    expect(server.requestedPaths.length).toBeLessThan(10)
  })

  it('to nothing readable is an error', async () => {
    const url = server.serve('/garbled', to('https://['))
    expect(await failure(download(url))).toMatchObject({ code: 'BAD_INPUT' })
  })
})

describe('an address', () => {
  it.each(['127.0.0.1', 'localhost'])('of this machine (%s) is refused without contact', async host => {
    server.serve('/', response => response.end('secret'))
    const guarded = createDownloader({ ca: certificate })
    const signal = new AbortController().signal
    const downloading = guarded.download(`https://${host}:${server.port}/`, file, { maxBytes: 10, signal })
    expect(await failure(downloading)).toMatchObject({ code: 'URL_REFUSED', retryable: false })
    expect(server.requestedPaths).toEqual([])
  })

  it('with a certificate that nobody vouches for is not trusted', async () => {
    server.serve('/', response => response.end('secret'))
    const signal = new AbortController().signal
    const downloading = createDownloader({ allows: everywhere }).download(
      `https://127.0.0.1:${server.port}/`,
      file,
      { maxBytes: 10, signal },
    )
    expect(await failure(downloading)).toMatchObject({ code: 'DOWNLOAD_FAILED' })
    expect(server.requestedPaths).toEqual([])
  })

  it.each([
    [401, 'a login', false],
    [403, 'a login', false],
    [404, 'browser', false],
    [410, 'browser', false],
    [429, 'browser', true],
    [500, 'browser', true],
    [503, 'browser', true],
  ])('that answers %i says what to do', async (status, hint, retryable) => {
    const url = server.serve('/status', response => response.writeHead(status).end('secret words'))
    const error = await failure(download(url))
    expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', retryable })
    expect(error.hint).toContain(hint)
    expect(existsSync(file)).toBe(false)
  })

  it('of a web page is not taken for a recording', async () => {
    const url = server.serve('/page', response =>
      response.writeHead(200, { 'content-type': 'Text/HTML; charset=utf-8' }).end('<html>secret'),
    )
    expect(await failure(download(url))).toMatchObject({ code: 'NOT_AUDIO' })
    expect(existsSync(file)).toBe(false)
  })

  it.each([
    ['halfway', 'DOWNLOAD_FAILED', { 'content-length': 1000 }],
    ['halfway, without having told a length', 'DOWNLOAD_FAILED', {}],
  ])('whose server hangs up %s gives an error, not half a recording', async (_, code, headers) => {
    const url = server.serve('/half', response => {
      response.writeHead(200, headers)
      response.write(Buffer.alloc(500), () => response.socket!.destroy())
    })
    expect(await failure(download(url))).toMatchObject({ code, retryable: true })
  })
})

describe('a recording that is too large', () => {
  it('is refused by the length it announces', async () => {
    const url = server.serve('/large', response => {
      response.writeHead(200, { 'content-length': 1001 })
      response.write('x')
    })
    expect(await failure(download(url, { maxBytes: 1000 }))).toMatchObject({ code: 'TOO_LARGE' })
    expect(existsSync(file)).toBe(false)
  })

  it('is given up where it passes the limit when it announces none', async () => {
    let hungUp: Promise<unknown> | undefined
    const url = server.serve('/endless', response => {
      hungUp = once(response, 'close')
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
      }
      response.on('drain', more)
      more()
    })
    expect(await failure(download(url, { maxBytes: 100_000 }))).toMatchObject({ code: 'TOO_LARGE' })
    await hungUp
    expect((await stat(file)).size).toBeLessThanOrEqual(100_000)
  })
})

describe('a cancelled download', () => {
  it('stops and hangs up', async () => {
    const stop = new AbortController()
    let hungUp: Promise<unknown> | undefined
    const url = server.serve('/slow', response => {
      hungUp = once(response, 'close')
      response.writeHead(200, { 'content-length': 1000 })
      response.write('x')
    })
    const downloading = download(url, { signal: stop.signal, onBytes: () => stop.abort(new Error('enough')) })
    await expect(downloading).rejects.toThrow('enough')
    await hungUp
  })

  it('does not begin', async () => {
    const url = server.serve('/never', response => response.end())
    await expect(download(url, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect(server.requestedPaths).toEqual([])
  })
})

describe('what a server says of a recording', () => {
  function identify(url: string, { maxBytes = megabyte, signal = new AbortController().signal } = {}) {
    return createDownloader({ allows: everywhere, ca: certificate }).identify(url, { maxBytes, signal })
  }
  const serve = (headers: Record<string, string | number>) =>
    server.serve('/said', response => response.writeHead(200, headers).end('sound'))
  const facts = { etag: '"one"', 'last-modified': 'Sun, 01 Mar 2026 10:00:00 GMT', 'content-length': 5 }

  it('is the same as long as the content is the same', async () => {
    const first = await identify(serve(facts))
    expect(first).toEqual(expect.any(String))
    expect(await identify(serve({ ...facts, date: 'Mon, 02 Mar 2026 10:00:00 GMT' }))).toBe(first)
  })

  it.each([
    ['ETag', { etag: '"two"' }],
    ['date of change', { 'last-modified': 'Sun, 01 Mar 2026 10:00:01 GMT' }],
  ])('is another where the %s is another', async (_, change) => {
    const first = await identify(serve(facts))
    expect(await identify(serve({ ...facts, ...change }))).not.toBe(first)
  })

  it('is another where the length is another', async () => {
    const { 'content-length': _, ...unsized } = facts
    expect(await identify(serve(unsized))).not.toBe(await identify(serve(facts)))
  })

  it('may be an ETag or a date of change alone', async () => {
    const said = [
      await identify(serve({ etag: facts.etag })),
      await identify(serve({ 'last-modified': facts.etag })),
    ]
    expect(said).toEqual([expect.any(String), expect.any(String)])
    expect(said[0]).not.toBe(said[1])
  })

  it('is unknown where there is but a length', async () => {
    expect(await identify(serve({ 'content-length': 5 }))).toBeUndefined()
  })

  it('is asked with GET, and the body is hung up on', async () => {
    let method: string | undefined
    let hungUp: Promise<unknown> | undefined
    const url = server.serve('/long', (response, request) => {
      method = request.method
      hungUp = once(response, 'close')
      response.writeHead(200, { ...facts, 'content-length': 900_000 })
      response.write('x')
    })
    expect(await identify(url)).toContain('900000')
    await hungUp
    expect(method).toBe('GET')
  })

  it('is found behind a redirect', async () => {
    const there = await identify(serve(facts))
    expect(await identify(server.serve('/old', to('/said')))).toBe(there)
  })

  it.each([
    [
      'a status',
      'DOWNLOAD_FAILED',
      (response: ServerResponse) => response.writeHead(403, facts).end('secret'),
    ],
    ['a web page', 'NOT_AUDIO', html],
    ['a redirect to a private address', 'URL_REFUSED', to('http://10.0.0.1/')],
    ['a large one', 'TOO_LARGE', (response: ServerResponse) => response.writeHead(200, large).write('x')],
  ])('is refused like a download: %s', async (_, code, answer) => {
    const url = server.serve('/refused', response => void answer(response))
    expect(await failure(identify(url))).toMatchObject({ code })
  })

  it('is not asked of this machine', async () => {
    serve(facts)
    const guarded = createDownloader({ ca: certificate })
    const { signal } = new AbortController()
    const asking = guarded.identify(`https://localhost:${server.port}/said`, { maxBytes: 10, signal })
    expect(await failure(asking)).toMatchObject({ code: 'URL_REFUSED' })
    expect(server.requestedPaths).toEqual([])
  })

  it('is not waited for by a caller who goes', async () => {
    const stop = new AbortController()
    const url = server.serve('/silent', () => stop.abort(new Error('enough')))
    await expect(identify(url, { signal: stop.signal })).rejects.toThrow('enough')
  })
})

describe('public addresses', () => {
  it.each(['1.1.1.1', '8.8.8.8', '100.63.255.255', '172.32.0.1', '192.167.1.1', '223.255.255.254'])(
    '%s is one',
    address => expect(isPublicAddress(address)).toBe(true),
  )
  it.each(['2606:4700:4700::1111', '2a00:1450:4001:82a::200e', '2400:cb00::1'])('%s is one', address =>
    expect(isPublicAddress(address)).toBe(true),
  )
  it.each([
    ['0.0.0.0', 'this host'],
    ['10.255.255.255', 'private'],
    ['100.64.0.1', 'shared by carriers'],
    ['100.100.100.200', 'Alibaba Cloud’s metadata'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['169.254.169.254', 'cloud metadata'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.0.0.1', 'protocol assignments'],
    ['192.0.2.1', 'documentation'],
    ['192.88.99.1', '6to4 relays'],
    ['192.168.0.1', 'private'],
    ['198.19.255.255', 'benchmarks'],
    ['198.51.100.1', 'documentation'],
    ['203.0.113.1', 'documentation'],
    ['224.0.0.1', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'IPv4 in IPv6'],
    ['::ffff:7f00:1', 'IPv4 in IPv6'],
    ['::ffff:8.8.8.8', 'IPv4 in IPv6'],
    ['::127.0.0.1', 'IPv4 in IPv6, the old way'],
    ['64:ff9b::7f00:1', 'NAT64'],
    ['64:ff9b:1::1', 'NAT64, local'],
    ['100::1', 'discard'],
    ['2001::1', 'Teredo'],
    ['2001:db8::1', 'documentation'],
    ['2002:7f00:1::', '6to4'],
    ['3fff::1', 'documentation'],
    ['5f00::1', 'segment routing'],
    ['fc00::1', 'unique local'],
    ['fd12:3456::1', 'unique local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%lo', 'link-local with a zone'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
  ])('%s (%s) is none', address => expect(isPublicAddress(address)).toBe(false))
})
