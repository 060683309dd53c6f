// Downloads from a real HTTPS server: what is downloaded, what is refused, and where it stops.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createDownloader, type DownloaderOptions } from '../../../../src/drivers/download/download.ts'
import { type TempFolder, tempFolder } from '../../../support/e2e/system.ts'
import { anyAddress, downloadFailure, megabyte, redirect } from '../../../support/servers/download-server.ts'
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

function download(
  url: string,
  { maxBytes = megabyte, signal = new AbortController().signal, ...more }: Partial<DownloadOptions> = {},
) {
  const { onBytes, ...options } = more
  const downloader = createDownloader({
    allows: anyAddress,
    ca: certificate,
    firstDelaySeconds: 0.001,
    ...options,
  })
  return downloader.download(url, file, { maxBytes, signal, ...(onBytes && { onBytes }) })
}
interface DownloadOptions extends DownloaderOptions {
  maxBytes: number
  signal: AbortSignal
  onBytes(done: number, total?: number): void
}

describe('a recording on the internet', () => {
  it('a download writes the file, and reports its bytes as they arrive', async () => {
    const body = Buffer.alloc(300_000, 'sound')
    const url = server.serve('/talk.mp3?id=1', response =>
      response.writeHead(200, { 'content-length': body.length }).end(body),
    )
    const reports: [number, number | undefined][] = []
    expect(await download(url, { onBytes: (done, total) => reports.push([done, total]) })).toBe(body.length)
    expect(body.equals(await readFile(file))).toBe(true)
    expect(reports.at(-1)).toEqual([body.length, body.length])
  })

  it('a download works without a content length', async () => {
    const url = server.serve('/chunked', response => {
      response.write('one')
      response.end('two')
    })
    expect(await download(url)).toBe(6)
    expect(await readFile(file, 'utf8')).toBe('onetwo')
  })

  it('a download may have exactly the maximum size', async () => {
    const url = server.serve('/exact', response => response.end(Buffer.alloc(1000)))
    expect(await download(url, { maxBytes: 1000 })).toBe(1000)
  })

  it.each([301, 302, 303, 307, 308])('a download follows a redirect (%i)', async status => {
    server.serve('/new', response => response.end('moved'))
    const url = server.serve('/old', redirect('/new', status))
    expect(await download(url)).toBe(5)
    expect(server.requestedPaths).toEqual(['/old', '/new'])
  })
})

describe('a redirect', () => {
  it.each([
    ['to a private address', 'https://10.0.0.1/'],
    ['to this machine', 'https://[::1]/'],
    ['to the metadata service of a cloud', 'https://169.254.169.254/latest/meta-data/'],
    ['to http://', 'http://example.com/talk.mp3'],
    ['to a file', 'file:///etc/passwd'],
  ])('a redirect %s is refused', async (_, location) => {
    const url = server.serve('/away', redirect(location))
    const allows = (address: string) => address === '127.0.0.1'
    expect(await downloadFailure(download(url, { allows }))).toMatchObject({ code: 'URL_REFUSED' })
    expect(existsSync(file)).toBe(false)
  })

  it('a redirect to a name with a private address is refused before any contact', async () => {
    server.serve('/inside', response => response.end('secret'))
    const url = server.serve('/away', redirect(`https://localhost:${server.port}/inside`))
    const once = [true]
    const allows = () => once.pop() ?? false
    expect(await downloadFailure(download(url, { allows }))).toMatchObject({ code: 'URL_REFUSED' })
    expect(server.requestedPaths).toEqual(['/away'])
  })

  it('a redirect loop ends', async () => {
    const url = server.serve('/loop', redirect('/loop'))
    expect(await downloadFailure(download(url))).toMatchObject({ code: 'URL_REFUSED' })
    expect(server.requestedPaths.length).toBeLessThan(10)
  })

  it('a redirect to an invalid address is an error', async () => {
    const url = server.serve('/garbled', redirect('https://['))
    expect(await downloadFailure(download(url))).toMatchObject({ code: 'BAD_INPUT' })
  })
})

describe('an address', () => {
  it.each(['127.0.0.1', 'localhost'])(
    'an address of this machine (%s) is refused without contact',
    async host => {
      server.serve('/', response => response.end('secret'))
      const guarded = createDownloader({ ca: certificate })
      const signal = new AbortController().signal
      const work = guarded.download(`https://${host}:${server.port}/`, file, { maxBytes: 10, signal })
      expect(await downloadFailure(work)).toMatchObject({ code: 'URL_REFUSED', retryable: false })
      expect(server.requestedPaths).toEqual([])
    },
  )

  it('a server with an untrusted certificate is refused', async () => {
    server.serve('/', response => response.end('secret'))
    const signal = new AbortController().signal
    const work = createDownloader({ allows: anyAddress }).download(
      `https://127.0.0.1:${server.port}/`,
      file,
      { maxBytes: 10, signal },
    )
    expect(await downloadFailure(work)).toMatchObject({ code: 'DOWNLOAD_FAILED' })
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
  ])('a response with status %i has a hint on what to do', async (status, hint, retryable) => {
    const url = server.serve('/status', response => response.writeHead(status).end('secret words'))
    const error = await downloadFailure(download(url))
    expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', retryable })
    expect(error.hint).toContain(hint)
    expect(existsSync(file)).toBe(false)
  })

  it('a web page is not taken for a recording', async () => {
    const url = server.serve('/page', response =>
      response.writeHead(200, { 'content-type': 'Text/HTML; charset=utf-8' }).end('<html>secret'),
    )
    expect(await downloadFailure(download(url))).toMatchObject({ code: 'NOT_AUDIO' })
    expect(existsSync(file)).toBe(false)
  })

  it.each([
    ['halfway', 'DOWNLOAD_FAILED', { 'content-length': 1000 }],
    ['halfway, without a content length', 'DOWNLOAD_FAILED', {}],
  ])('a connection that drops %s is an error, not half a recording', async (_, code, headers) => {
    const url = server.serve('/half', response => {
      response.writeHead(200, headers)
      response.write(Buffer.alloc(500), () => response.socket!.destroy())
    })
    expect(await downloadFailure(download(url))).toMatchObject({ code, retryable: true })
  })
})

describe('a recording that is too large', () => {
  it('a recording is refused when its content length is too large', async () => {
    const url = server.serve('/large', response => {
      response.writeHead(200, { 'content-length': 1001 })
      response.write('x')
    })
    expect(await downloadFailure(download(url, { maxBytes: 1000 }))).toMatchObject({ code: 'TOO_LARGE' })
    expect(existsSync(file)).toBe(false)
  })

  it('a recording without a content length is stopped at the limit', async () => {
    let closed: Promise<unknown> | undefined
    const url = server.serve('/endless', response => {
      closed = once(response, 'close')
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
      }
      response.on('drain', more)
      more()
    })
    expect(await downloadFailure(download(url, { maxBytes: 100_000 }))).toMatchObject({ code: 'TOO_LARGE' })
    await closed
    expect((await stat(file)).size).toBeLessThanOrEqual(100_000)
  })
})

describe('a cancelled download', () => {
  it('a cancelled download stops and closes the connection', async () => {
    const stop = new AbortController()
    let closed: Promise<unknown> | undefined
    const url = server.serve('/slow', response => {
      closed = once(response, 'close')
      response.writeHead(200, { 'content-length': 1000 })
      response.write('x')
    })
    const work = download(url, { signal: stop.signal, onBytes: () => stop.abort(new Error('enough')) })
    await expect(work).rejects.toThrow('enough')
    await closed
  })

  it('a download that was cancelled before does not start', async () => {
    const url = server.serve('/never', response => response.end())
    await expect(download(url, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect(server.requestedPaths).toEqual([])
  })
})
