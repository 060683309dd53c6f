// Uploads over HTTP: tus clients, lines that break, a plain PUT, and tickets that do not fit.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { rawRequest } from '../../support/e2e/http.ts'
import { startBreakingLine } from '../../support/servers/breaking-line.ts'
import {
  bytesOf,
  sendByTus,
  sha256,
  type UploadServer,
  uploadServersOfEachTest,
} from '../../support/servers/upload-server.ts'

const serve = uploadServersOfEachTest()
const openLine = closedAfterEach(startBreakingLine)

const stored = ({ folder }: UploadServer, id: string) => readFile(join(folder, 'uploads', `${id}.part`))
const run = promisify(execFile)
const put = (url: string, body: Buffer, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'PUT', body, headers })
const tus = (url: string, method: string, headers: Record<string, string> = {}, body?: Buffer) =>
  fetch(url, { method, headers: { 'tus-resumable': '1.0.0', ...headers }, ...(body && { body }) })
const patch = (url: string, offset: number, body: Buffer) =>
  tus(url, 'PATCH', { 'upload-offset': `${offset}`, 'content-type': 'application/offset+octet-stream' }, body)

describe('a tus client', () => {
  it('a tus client sends a recording to the address of its ticket, and the answer names the upload', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const file = bytesOf(300_000)
    const header = await sendByTus(url, file)
    expect(header('upload-address')).toBe(`upload://${id}`)
    expect(header('repr-digest')).toBe(`sha-256=:${Buffer.from(sha256(file), 'hex').toString('base64')}:`)
    const whole = { id, name: 'talk.wav', bytes: 300_000, hash: sha256(file) }
    expect(await server.uploads.find('local', id)).toEqual(whole)
  })

  it('a recording arrives whole over a line that breaks at every megabyte', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const line = await openLine({ target: url, breakBytes: 1e6 })
    const file = bytesOf(5_500_000)
    await sendByTus(line.over(url), file)
    expect(line.breaks()).toBeGreaterThanOrEqual(5)
    expect(sha256(await stored(server, id))).toBe(sha256(file))
  })

  it('an upload goes on after the server has started again', async () => {
    const server = await serve()
    const { url } = await server.ticket()
    const file = bytesOf(200_000)
    await tus(url, 'POST', { 'upload-length': '200000' })
    expect((await patch(url, 0, file.subarray(0, 120_000))).status).toBe(204)
    const next = await serve({ folder: server.folder })
    const moved = new URL(new URL(url).pathname, next.url).href
    expect((await tus(moved, 'HEAD')).headers.get('upload-offset')).toBe('120000')
    const last = await patch(moved, 120_000, file.subarray(120_000))
    expect([last.status, last.headers.get('upload-address')]).toEqual([
      204,
      expect.stringMatching(/^upload:/),
    ])
  })

  it('two clients that send one file with one ticket leave that file whole', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const file = bytesOf(3_000_000)
    const [uploadUrl, endpoint] = [url, url]
    await tus(url, 'POST', { 'upload-length': `${file.length}` })
    await Promise.all([1, 2].map(() => sendByTus(endpoint, file, { uploadUrl })))
    expect(sha256(await stored(server, id))).toBe(sha256(file))
  })

  it('bytes without the announced hash are refused, and the same ticket takes the right ones', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const file = bytesOf(50_000)
    const metadata = { filename: 'a.wav', sha256: sha256(file) }
    await expect(sendByTus(url, bytesOf(50_000, 7), { metadata, retryDelays: [] })).rejects.toThrow(/SHA-256/)
    await sendByTus(url, file, { metadata })
    expect((await server.uploads.find('local', id)).hash).toBe(metadata.sha256)
  })

  it('an upload that is deleted frees its ticket for another file', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    await tus(url, 'POST', { 'upload-length': '9' })
    await patch(url, 0, Buffer.from('four'))
    expect((await tus(url, 'DELETE')).status).toBe(204)
    expect((await tus(url, 'HEAD')).status).toBe(404)
    await sendByTus(url, bytesOf(1_000))
    expect((await server.uploads.find('local', id)).bytes).toBe(1_000)
  })
})

describe('a plain PUT', () => {
  it('curl -T sends a recording with its name, and prints the address of the upload', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const file = join(server.folder, 'talk of mai.mp4')
    await writeFile(file, bytesOf(400_000))
    const { stdout } = await run('curl', ['-sS', '-T', file, `${url}/`])
    expect(stdout.split('\n')[0]).toBe(`upload://${id}`)
    expect(await server.uploads.find('local', id)).toMatchObject({ name: 'talk of mai.mp4', bytes: 400_000 })
  })

  it('a PUT that breaks off is sent again with the same ticket', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const line = await openLine({ target: url, breakBytes: 500_000, maxBreaks: 1 })
    const file = bytesOf(1_000_000)
    await expect(put(line.over(url), file)).rejects.toThrow()
    expect((await tus(url, 'HEAD')).status).toBe(404)
    expect((await put(line.over(url), file)).status).toBe(201)
    expect(sha256(await stored(server, id))).toBe(sha256(file))
  })

  it('a PUT without a length, of a part, of nothing, or with another hash is refused with advice', async () => {
    const server = await serve()
    const { url } = await server.ticket()
    const file = bytesOf(1_000)
    const body = new Blob([file]).stream()
    const unsaid = await fetch(url, { method: 'PUT', body, duplex: 'half' } as RequestInit)
    const part = await put(url, file, { 'content-range': 'bytes 0-999/2000' })
    const empty = await put(url, Buffer.alloc(0))
    const other = await put(url, file, { 'content-digest': `sha-256=:${'A'.repeat(43)}=:` })
    expect([unsaid.status, part.status, empty.status, other.status]).toEqual([400, 400, 400, 403])
    expect(await unsaid.text()).toMatch(/^BAD_INPUT: .* Content-Length/)
    expect((await put(url, file)).status).toBe(201)
  })
})

describe('a ticket', () => {
  it('a ticket is refused once its upload is whole or under way, and when its time is over', async () => {
    let now = Date.now()
    const server = await serve({ now: () => now })
    const { url } = await server.ticket()
    await tus(url, 'POST', { 'upload-length': '2000' })
    await patch(url, 0, bytesOf(1_000))
    const again = await tus(url, 'POST', { 'upload-length': '2000' })
    expect([again.status, await again.text()]).toEqual([
      403,
      expect.stringMatching(/^UPLOAD_REFUSED: .* begun/),
    ])
    expect((await put(url, bytesOf(10))).status).toBe(403)
    await patch(url, 1_000, bytesOf(1_000))
    const used = await put(url, bytesOf(2_000))
    expect([used.status, await used.text()]).toEqual([403, expect.stringMatching(/^UPLOAD_REFUSED: .*whole/)])
    const other = await server.ticket()
    now += 25 * 3600 * 1000
    const late = await put(other.url, bytesOf(10))
    expect([late.status, await late.text()]).toEqual([
      403,
      expect.stringMatching(/time of this ticket is over/),
    ])
  })

  it('a request with the token of another owner is refused, one of the same owner or without is not', async () => {
    const tokens = ['ann', 'bob'].map(name => ({ name, token: `${name}-0123456789abcdef` }))
    const server = await serve({ tokens })
    const { url } = await server.ticket({ owner: 'ann' })
    const bearer = (name: string) => ({ authorization: `Bearer ${name}-0123456789abcdef` })
    const refused = await put(url, bytesOf(10), bearer('bob'))
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringMatching(/another owner/)])
    expect((await put(url, bytesOf(10), bearer('ann'))).status).toBe(201)
    expect((await put((await server.ticket({ owner: 'ann' })).url, bytesOf(10))).status).toBe(201)
  })

  it('300 mixed up tickets and owners open nothing', async () => {
    const owners = ['ann', 'bob', 'cy']
    const server = await serve({ tokens: owners.map(name => ({ name, token: `${name}-0123456789abcdef` })) })
    const tickets = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const owner = owners[i % 3]!
        const ticket = await server.ticket({ owner })
        if (i % 2 === 0) await put(ticket.url, bytesOf(100 + i))
        return { ...ticket, owner }
      }),
    )
    let refused = 0
    for (const [i, { id, url, owner }] of tickets.entries())
      for (const k of [1, 2, 4, 5, 7]) {
        const other = tickets[(i + k) % 30]!
        const secret = new URL(other.url).pathname.split('.')[1]
        const mixed = url.replace(/\.[a-z0-9]+$/, `.${secret}`)
        const method = ['PUT', 'POST', 'HEAD', 'GET', 'DELETE'][k % 5]!
        const answer = await tus(mixed, method, {}, method === 'PUT' ? bytesOf(50) : undefined)
        expect([answer.status, (await answer.text()).includes(id)]).toEqual([404, false])
        if (other.owner === owner) continue
        await expect(server.uploads.find(other.owner, id)).rejects.toThrow(/No upload has this address/)
        refused += 2
      }
    expect(refused).toBeGreaterThanOrEqual(240)
    for (const [i, { id, owner }] of tickets.entries())
      if (i % 2 === 0) expect((await server.uploads.find(owner, id)).bytes).toBe(100 + i)
      else await expect(server.uploads.find(owner, id)).rejects.toThrow(/Nothing of this upload/)
  })

  it('a page of an allowed host may send by tus, one of another origin may not', async () => {
    const server = await serve({ allowedHosts: ['localhost:6274'] })
    const { url } = await server.ticket()
    const ask = (origin: string, method: string, more = {}) =>
      rawRequest(url, { method, headers: { origin, 'tus-resumable': '1.0.0', ...more } })
    const wish = { 'access-control-request-method': 'PATCH' }
    const allowed = await ask('http://localhost:6274', 'OPTIONS', wish)
    expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([
      204,
      'http://localhost:6274',
    ])
    expect(allowed.headers['access-control-allow-methods']).toContain('PATCH')
    expect(allowed.headers['access-control-allow-headers']).toContain('Upload-Offset')
    const sent = await ask('http://localhost:6274', 'POST', {
      'upload-length': '5',
      'x-forwarded-proto': 'https, http',
    })
    expect([sent.status, sent.text]).toEqual([201, ''])
    expect(sent.headers['access-control-expose-headers']).toMatch(/Location.*Upload-Address/)
    const other = await ask('http://localhost:9999', 'OPTIONS', wish)
    expect(other.headers['access-control-allow-origin']).toBeUndefined()
    expect((await ask('https://evil.example', 'POST', { 'upload-length': '5' })).status).toBe(403)
  })

  it('an address that is none, and a name of another server, are refused', async () => {
    const server = await serve()
    const { url } = await server.ticket()
    for (const path of [
      '/uploads/',
      '/uploads/x',
      '/uploads/../speech.db',
      `/uploads/${'a'.repeat(5_000)}.b`,
    ])
      expect((await rawRequest(url, { path, method: 'PUT' })).status).toBe(404)
    const foreign = await rawRequest(url, { method: 'PUT', headers: { host: 'evil.example' } })
    expect(foreign.status).toBe(403)
  })
})
