// Uploads over HTTP where requests cross each other, servers hiccup, and disks and clocks run out.
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type ClientRequest, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { sendFile } from '../../../src/cli/upload/send-file.ts'
import { uploadFiles } from '../../../src/drivers/uploads/files.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { tempFolder } from '../../support/e2e/system.ts'
import { hasChromium, openPage } from '../../support/servers/chromium.ts'
import { startHiccup } from '../../support/servers/hiccup.ts'
import {
  bytesOf,
  sha256,
  type UploadServer,
  uploadServersOfEachTest,
} from '../../support/servers/upload-server.ts'

const serve = uploadServersOfEachTest()
const openFront = closedAfterEach(startHiccup)
const browse = closedAfterEach(openPage)

const fileOf = ({ folder }: UploadServer, id: string) => join(folder, 'uploads', `${id}.part`)
const put = (url: string, body: Buffer) => fetch(url, { method: 'PUT', body })
const tus = (url: string, method: string, headers: Record<string, string> = {}, body?: Buffer) =>
  fetch(url, { method, headers: { 'tus-resumable': '1.0.0', ...headers }, ...(body && { body }) })
const patch = (url: string, offset: number, body: Buffer) =>
  tus(url, 'PATCH', { 'upload-offset': `${offset}`, 'content-type': 'application/offset+octet-stream' }, body)

/** A request whose body stops after some bytes. */
async function beginSending(
  server: UploadServer,
  id: string,
  url: string,
  bytes: number,
  first: Buffer,
  method = 'PUT',
) {
  const tusHeaders = { 'upload-offset': 0, 'content-type': 'application/offset+octet-stream' }
  const headers = { 'tus-resumable': '1.0.0', 'content-length': bytes, ...(method === 'PATCH' && tusHeaders) }
  const asked = httpRequest(url, { method, headers })
  asked.on('error', () => {})
  asked.write(first)
  await vi.waitFor(async () => expect((await stat(fileOf(server, id))).size).toBe(first.length))
  return asked
}

/** Status of the answer; undefined where the connection is closed without one. */
const statusOf = (asked: ClientRequest) =>
  new Promise<number | undefined>(resolve => {
    asked.once('response', response => resolve(response.resume().statusCode))
    asked.once('close', () => resolve(undefined))
  })

/** Files that are hashed only when the gate opens. */
async function gatedFiles() {
  const folder = await tempFolder()
  onTestFinished(folder.remove)
  const files = uploadFiles(folder.path)
  const calls = { seal: 0, get: 0 }
  let open = () => {}
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  const store = {
    ...files,
    get: (id: string) => {
      calls.get++
      return files.get(id)
    },
    seal: async (record: Parameters<typeof files.seal>[0]) => {
      calls.seal++
      await gate
      return files.seal(record)
    },
  }
  return { store, calls, open, fileOf: (id: string) => join(folder.path, `${id}.part`) }
}

describe('requests that cross each other', () => {
  it('an upload that is deleted while a PUT sends it ends that PUT, and leaves nothing', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const file = bytesOf(100_000)
    const asked = await beginSending(server, id, url, file.length, file.subarray(0, 40_000))
    const status = statusOf(asked)
    expect((await tus(url, 'DELETE')).status).toBe(204)
    asked.end(file.subarray(40_000))
    expect(await status).not.toBe(201)
    await expect(server.uploads.find('local', id)).rejects.toThrow(/Nothing of this upload/)
    expect((await put(url, file)).status).toBe(201)
    expect((await server.uploads.find('local', id)).hash).toBe(sha256(file))
  })

  it('a PUT that is repeated while the first one is hashed changes no byte of it', async () => {
    const { store, calls, open, fileOf } = await gatedFiles()
    const server = await serve({ store })
    const { id, url } = await server.ticket()
    const file = bytesOf(200_000)
    const first = put(url, file)
    await vi.waitFor(() => expect(calls.seal).toBe(1))
    const before = calls.get
    const second = put(url, bytesOf(50_000, 7))
    await vi.waitFor(() => expect(calls.get).toBeGreaterThan(before))
    open()
    expect([(await first).status, (await second).status]).toEqual([201, 403])
    expect((await server.uploads.find('local', id)).hash).toBe(sha256(await readFile(fileOf(id))))
  })

  it('a file is hashed once, however many ask for it meanwhile', async () => {
    const { store, calls, open } = await gatedFiles()
    const server = await serve({ store })
    const { id, url } = await server.ticket()
    const file = bytesOf(10_000)
    await tus(url, 'POST', { 'upload-length': '10000' })
    const last = patch(url, 0, file)
    await vi.waitFor(() => expect(calls.seal).toBe(1))
    const before = calls.get
    const asked = Array.from({ length: 20 }, () => tus(url, 'HEAD'))
    await vi.waitFor(() => expect(calls.get).toBeGreaterThanOrEqual(before + 20))
    open()
    const answers = await Promise.all([last, ...asked])
    expect(answers.map(({ headers }) => headers.get('upload-address'))).toEqual(
      answers.map(() => `upload://${id}`),
    )
    expect(calls.seal).toBe(1)
  })

  it('a connection that takes long to end holds up no other owner', async () => {
    const folder = await tempFolder()
    onTestFinished(folder.remove)
    const files = uploadFiles(folder.path)
    let release = () => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    const store = {
      ...files,
      append: (...args: Parameters<typeof files.append>) => files.append(...args).finally(() => gate),
    }
    const server = await serve({ store })
    const { url } = await server.ticket()
    const first = put(url, bytesOf(1_000)).catch(() => {})
    await vi.waitFor(async () => expect((await store.list('local'))[0]?.bytes).toBe(1_000))
    const second = put(url, bytesOf(1_000)).catch(() => {})
    for (const owner of ['bob', 'local']) await server.ticket({ owner })
    release()
    await Promise.all([first, second])
  })
})

describe('servers, disks and clocks', () => {
  it('the command goes on when a HEAD is answered with 503', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const front = await openFront({ target: url, method: 'HEAD' })
    const bytes = bytesOf(50_000)
    const path = join(server.folder, 'a.wav')
    await writeFile(path, bytes)
    const metadata = `sha256 ${Buffer.from(sha256(bytes)).toString('base64')}`
    await tus(url, 'POST', { 'upload-length': '50000', 'upload-metadata': metadata })
    await patch(url, 0, bytes.subarray(0, 20_000))
    const file = { path, name: 'a.wav', bytes: bytes.length, sha256: sha256(bytes) }
    const { signal } = new AbortController()
    const sent = await sendFile(front.over(url), file, { signal, onBytes() {}, delayMs: () => 1 })
    expect(sent).toBe(`upload://${id}`)
  })

  it.skipIf(!hasChromium)('the page goes on when a HEAD is answered with 503', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const file = join(server.folder, 'a.wav')
    await writeFile(file, bytesOf(50_000))
    const { mtimeMs } = await stat(file)
    const fingerprint = Buffer.from(`a.wav/50000/${Math.floor(mtimeMs)}`).toString('base64')
    await tus(url, 'POST', { 'upload-length': '50000', 'upload-metadata': `fingerprint ${fingerprint}` })
    await patch(url, 0, bytesOf(50_000).subarray(0, 20_000))
    const front = await openFront({ target: url, method: 'HEAD' })
    const page = await browse(front.over(url))
    await page.choose('#file', file)
    const shown = () => page.evaluate('document.getElementById("state").textContent')
    await vi.waitFor(async () => expect(await shown()).toContain(`upload://${id}`), { timeout: 60_000 })
  })

  it('a failure of the server names no path in its answer', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const log = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    await tus(url, 'POST', { 'upload-length': '10' })
    await rm(fileOf(server, id))
    const answer = await patch(url, 0, bytesOf(10))
    const text = await answer.text()
    const lines = log.mock.calls.map(([line]) => String(line)).join('')
    log.mockRestore()
    expect([answer.status, text]).toEqual([500, expect.stringMatching(/^INTERNAL: [^/]+$/)])
    expect(lines).toContain('upload-failed')
  })

  it.each(['PUT', 'PATCH'])('a %s ends with its ticket, although bytes still come', async method => {
    const start = Date.now()
    let now = start
    const server = await serve({ now: () => now })
    const { id, url } = await server.ticket()
    if (method === 'PATCH') await tus(url, 'POST', { 'upload-length': '1000' })
    now = start + 24 * 3600 * 1000 - 500
    const asked = await beginSending(server, id, url, 1_000, bytesOf(10), method)
    expect(await statusOf(asked)).toBe(method === 'PUT' ? undefined : 403)
    expect((await stat(fileOf(server, id))).size).toBe(10)
  })
})
