// Downloads through a proxy: the tunnel, and addresses that are refused before the proxy is asked.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { createDownloader } from '../../../../src/drivers/download/download.ts'
import { type TempFolder, tempFolder } from '../../../support/e2e/system.ts'
import { downloadFailure, megabyte, redirect } from '../../../support/servers/download-server.ts'
import { certificate, type HttpsServer, startHttpsServer } from '../../../support/servers/https-server.ts'
import { startProxy, type TestProxy } from '../../../support/servers/proxy.ts'

/** Addresses of names; others are unknown here. */
const names: Record<string, string[]> = {
  'public.example.com': ['93.184.216.34'],
  'private.example.com': ['10.0.0.7'],
  localhost: ['127.0.0.1'],
  'both.example.com': ['93.184.216.34', '127.0.0.1'],
}
vi.mock('node:dns', async original => ({
  ...(await original<typeof import('node:dns')>()),
  lookup: (name: string, _: unknown, done: (error: Error | null, found?: object[]) => void) => {
    const found = names[name]?.map(address => ({ address, family: 4 }))
    done(found ? null : new Error('ENOTFOUND'), found)
  },
}))

let server: HttpsServer
let proxy: TestProxy
let folder: TempFolder

beforeAll(async () => {
  server = await startHttpsServer()
  proxy = await startProxy(() => server.port)
  folder = await tempFolder()
})
beforeEach(() => {
  proxy.requests.length = 0
  proxy.refuseWith(undefined)
})
afterAll(async () => {
  await proxy.close()
  await server.close()
  await folder.remove()
})

const file = () => join(folder.path, 'recording')

function download(url: string) {
  const proxies = { https: proxy.url, exceptions: '' }
  const options = { maxBytes: megabyte, signal: new AbortController().signal }
  return createDownloader({ ca: certificate, proxies }).download(url, file(), options)
}

it.each([
  ['whose address is public', 'public.example.com'],
  ['that only the proxy can resolve', 'elsewhere.example.com'],
])('a recording at a name %s comes through a tunnel', async (_, name) => {
  server.serve('/talk.mp3?key=1', response => response.end('sound'))
  expect(await download(`https://${name}/talk.mp3?key=1`)).toBe(5)
  expect(await readFile(file(), 'utf8')).toBe('sound')
  expect(proxy.requests.map(({ line }) => line)).toEqual([`CONNECT ${name}:443`])
})

const refusedHosts = [
  ['with a private address', 'private.example.com'],
  ['with a public and a private address', 'both.example.com'],
  ['that is a private address', '192.168.0.1'],
  ['that is a private address in other words', '0x7f.1'],
  ['of this machine', 'localhost'],
  ['that is a private IPv6 address', '[fd00::1]'],
  ['that is a mapped address', '[::ffff:10.0.0.1]'],
] as const

it.each(refusedHosts)('a host %s (%s) is refused before the proxy is asked', async (_, host) => {
  expect(await downloadFailure(download(`https://${host}/talk.mp3`))).toMatchObject({ code: 'URL_REFUSED' })
  expect(proxy.requests).toEqual([])
})

it.each(refusedHosts)('a redirect to a host %s (%s) is refused as well', async (_, host) => {
  server.serve('/away', redirect(`https://${host}/inside`))
  const error = await downloadFailure(download('https://public.example.com/away'))
  expect(error).toMatchObject({ code: 'URL_REFUSED' })
  expect(proxy.requests.map(({ line }) => line)).toEqual(['CONNECT public.example.com:443'])
})

it.each([407, 403, 502])('a proxy that answers %i is named as the reason', async status => {
  proxy.refuseWith(status)
  const error = await downloadFailure(download('https://public.example.com/talk.mp3'))
  expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED' })
  expect(error.message).toContain('through the proxy')
  expect(error.hint).toContain('NO_PROXY')
})
