// Uploads in the data folder and in the bucket of a team, also where the bucket fails.
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { startOss } from '../../emulators/oss/oss.ts'
import { receivedInOss } from '../../src/drivers/object-storage/oss/received.ts'
import { uploadFiles } from '../../src/drivers/uploads/files.ts'
import { isTransfer, optionsFor, useResources } from '../support/contracts/oss.ts'
import { describeUploadStore } from '../support/contracts/upload-store.ts'
import { bytesOf, sendByTus, sha256, uploadServersOfEachTest } from '../support/servers/upload-server.ts'

const { folder, track } = useResources()
const scratch = async () => {
  const path = join(folder(), 'scratch')
  await mkdir(path, { recursive: true })
  return path
}

async function openTwice() {
  const oss = track(await startOss())
  const open = () => track(receivedInOss(optionsFor(oss)))
  return { oss, stores: [open(), open()] as const }
}

describeUploadStore('the data folder', {
  open: async () => [uploadFiles(folder()), uploadFiles(folder())],
  scratch,
})

describeUploadStore('the bucket', { open: async () => [...(await openTwice()).stores], scratch })

const serve = uploadServersOfEachTest()

describe('two servers with one bucket', () => {
  it('an upload that began at one server goes on at another one, and a third machine opens it', async () => {
    const { stores } = await openTwice()
    const [one, two] = [await serve({ store: stores[0] }), await serve({ store: stores[1] })]
    const { id, url } = await one.ticket({ name: 'talk.wav' })
    const file = bytesOf(3_000_000)
    const headers = { 'tus-resumable': '1.0.0' }
    await fetch(url, { method: 'POST', headers: { ...headers, 'upload-length': `${file.length}` } })
    const begun = await fetch(url, {
      method: 'PATCH',
      headers: { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
      body: file.subarray(0, 1_234_567),
    })
    expect(begun.status).toBe(204)
    const there = new URL(new URL(url).pathname, two.url).href
    const header = await sendByTus(there, file, { uploadUrl: there })
    expect(header('upload-address')).toBe(`upload://${id}`)
    const run = { signal: new AbortController().signal, scratch }
    expect(await one.uploads.open('local', id, run)).toMatchObject({ name: 'talk.wav' })
    expect((await two.uploads.find('local', id)).hash).toBe(sha256(file))
  })

  it('a bucket that fails for a moment loses no byte', async () => {
    const { oss, stores } = await openTwice()
    const server = await serve({ store: stores[0] })
    const { id, url } = await server.ticket()
    oss.fault({ kind: 'error', status: 503, code: 'Busy', every: 2, when: isTransfer })
    oss.fault({ kind: 'dropAfter', every: 3, when: isTransfer })
    const file = bytesOf(5_000_000)
    await sendByTus(url, file)
    expect((await server.uploads.find('local', id)).hash).toBe(sha256(file))
  })

  it('a piece that comes late, of a file that another one has replaced, does not mix with it', async () => {
    const { oss, stores } = await openTwice()
    const [one, two] = [await serve({ store: stores[0] }), await serve({ store: stores[1] })]
    const { id, url } = await one.ticket()
    const there = new URL(new URL(url).pathname, two.url).href
    const late = httpRequest(url, { method: 'PUT', headers: { 'content-length': 200_000 } })
    const answer = once(late, 'response')
    late.write(bytesOf(199_000, 7))
    await vi.waitFor(async () => expect((await stores[1].get(id))?.bytes).toBe(200_000))
    const file = bytesOf(150_000)
    expect((await fetch(there, { method: 'PUT', body: file })).status).toBe(201)
    late.end(bytesOf(1_000))
    const [{ statusCode }] = (await answer) as [IncomingMessage]
    expect([statusCode, oss.objects().some(({ key }) => /-200000$/.test(key))]).toEqual([423, true])
    const run = { signal: new AbortController().signal, scratch }
    const opened = await two.uploads.open('local', id, run)
    expect(sha256(await readFile(opened.file))).toBe(sha256(file))
  })

  it('a sweep leaves nothing of an upload in the bucket', async () => {
    let now = Date.now()
    const { oss, stores } = await openTwice()
    const server = await serve({ store: stores[0], now: () => now })
    const { url } = await server.ticket()
    await fetch(url, { method: 'PUT', body: bytesOf(100_000) })
    expect(oss.objects().length).toBeGreaterThan(0)
    now += 25 * 3600 * 1000
    await server.uploads.sweep()
    expect(oss.objects()).toEqual([])
  })
})
