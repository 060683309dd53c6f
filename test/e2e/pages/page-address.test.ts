// Addresses of pages over HTTP: who gets in, until when, and what is refused.

import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { startOss } from '../../../emulators/oss/oss.ts'
import { SpeechError } from '../../../src/domain/errors.ts'
import { keyInOss } from '../../../src/drivers/object-storage/oss/key-object.ts'
import { keyFile } from '../../../src/drivers/secret-key/key-file.ts'
import type { Jobs } from '../../../src/jobs/jobs.ts'
import { optionsFor, useResources } from '../../support/contracts/oss.ts'
import { fakeJobs } from '../../support/jobs/fake-jobs.ts'
import { pageServersOfEachTest } from '../../support/servers/page-server.ts'
import { transcript } from '../../support/transcripts.ts'

const serve = pageServersOfEachTest()
const { folder, track } = useResources()
const tokens = ['ann', 'bob'].map(name => ({ name, token: `${name}-0123456789abcdef` }))
const hour = 3600_000

async function seen(address: string, init: RequestInit = {}): Promise<[number, string]> {
  const response = await fetch(address, { redirect: 'manual', ...init })
  return [response.status, await response.text()]
}

/** Sends the path as it is; `fetch` would shorten it. */
function rawStatus(origin: string, path: string, headers: Record<string, string> = {}): Promise<number> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, headers }, response => {
      response.resume()
      resolve(response.statusCode!)
    })
    asked.on('error', reject).end()
  })
}

const statusOf = async (address: string, init: RequestInit = {}) => (await seen(address, init))[0]

describe('the holder of an address', () => {
  it('it opens the page, the text, the sound and the files of one transcript without a token', async () => {
    const { address } = await serve({ tokens })
    const url = await address('ann')
    const page = await fetch(url)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'x-robots-tag': 'noindex, nofollow',
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; script-src 'sha256-.*frame-ancestors 'none'$/,
      ),
    })
    expect(await page.text()).not.toContain('What ann said')
    const data = (await (await fetch(`${url}data.json`)).json()) as { title: string; endsAt: string }
    expect(data.title).toBe('What ann said')
    const left = Date.parse(data.endsAt) - Date.now()
    expect([left > 11.9 * hour, left < 13.1 * hour]).toEqual([true, true])
    expect((await seen(`${url}export/txt`))[0]).toBe(200)
    expect(await seen(`${url}audio?from=0&to=2`)).toEqual([200, 'MP3'])
  })

  it('the same address is given for an hour, and tells neither owner nor transcript', async () => {
    const { address } = await serve({ tokens })
    const now = Date.parse('2026-12-01T09:10:00Z')
    const url = await address('ann', undefined, now)
    expect(await address('ann', undefined, now + hour / 2)).toBe(url)
    expect(await address('ann', undefined, now + hour)).not.toBe(url)
    expect(await address('bob', 'tr_ann', now)).not.toBe(url)
    const bytes = Buffer.from(url.split('/')[4]!, 'base64url').toString('latin1')
    expect([url.includes('ann'), bytes.includes('ann')]).toEqual([false, false])
  })

  it('the address ends, also for what was open, with plain words', async () => {
    const clock = { now: Date.now() }
    const { address } = await serve({ limits: { now: () => clock.now } })
    const url = await address()
    expect(await statusOf(url)).toBe(200)
    clock.now += 13 * hour
    for (const path of ['', 'data.json', 'audio?from=0', 'export/srt'])
      expect(await seen(url + path)).toEqual([
        410,
        'This address has ended. Ask your agent for a new one, or open the transcript at the home page.',
      ])
  })

  it('a deleted or unknown transcript and that of another owner are not found, also what was heard before', async () => {
    const jobs = fakeJobs()
    let isDeleted = false
    const read: typeof jobs.read = async (owner, id) => {
      if (isDeleted) throw new SpeechError('TRANSCRIPT_NOT_FOUND', 'It was deleted.', { hint: 'None.' })
      return jobs.read(owner, id)
    }
    const { address } = await serve({ tokens, changes: { read } })
    for (const url of [await address('ann', 'tr_none'), await address('ann', 'tr_bob')])
      for (const path of ['', 'data.json', 'export/srt']) expect(await statusOf(url + path)).toBe(404)
    const url = await address('ann')
    expect(await statusOf(`${url}audio?from=0`)).toBe(200)
    isDeleted = true
    for (const path of ['', 'data.json', 'audio?from=0', 'export/srt'])
      expect(await statusOf(url + path)).toBe(404)
  })

  it('a piece of sound is made once, and again when the transcript has more words', async () => {
    const made: number[] = []
    let shown = transcript({ id: 'tr_local', status: 'running', duration: 2 })
    const clip: Jobs['clip'] = async (_owner, _id, { from = 0 }) => {
      made.push(from)
      return {
        audio: Buffer.from(`MP3 to ${shown.duration}`),
        start: from,
        end: shown.duration,
        transcript: shown,
      }
    }
    const { address } = await serve({ changes: { read: async () => shown, clip } })
    const url = `${await address()}audio?from=1`
    expect([await seen(url), await seen(url), made]).toEqual([[200, 'MP3 to 2'], [200, 'MP3 to 2'], [1]])
    shown = transcript({ id: 'tr_local', status: 'completed', duration: 9 })
    expect([await seen(url), made]).toEqual([
      [200, 'MP3 to 9'],
      [1, 1],
    ])
  })

  it('the address without its last slash leads to the page, also below the path of a proxy', async () => {
    const { address } = await serve()
    const url = await address()
    const response = await fetch(url.slice(0, -1), { redirect: 'manual' })
    const location = response.headers.get('location')!
    expect([response.status, new URL(location, url.slice(0, -1)).href]).toEqual([307, url])
    expect(new URL(location, 'https://host/speech/t/x').pathname).toMatch(/^\/speech\/t\/[\w-]+\/$/)
  })
})

describe('nobody else', () => {
  it('of 600 changed addresses and of those of another purpose or key, none opens anything', async () => {
    const { address, origin, seals } = await serve()
    const url = await address()
    const sealed = url.split('/')[4]!
    const letters = 'AQgwx09-_'
    const changed = Array.from({ length: 600 }, (_, i) => {
      const at = (i * 7) % sealed.length
      const letter = letters[i % letters.length]!
      if (i % 10 === 9) return sealed.slice(0, at) + sealed.slice(at + 1)
      return sealed.slice(0, at) + (sealed[at] === letter ? 'z' : letter) + sealed.slice(at + 1)
    })
    const session = await seals.seal('session', 'tr_local\nlocal', Date.now() + hour)
    const foreign = new URL(await (await serve({ key: async () => Buffer.alloc(32, 8) })).address())
    const all = [...new Set(changed), session, foreign.pathname.split('/')[2]!, '', 'null', sealed + sealed]
    expect(all.length).toBeGreaterThan(400)
    const statuses = new Set<number>()
    for (const one of all) statuses.add(await statusOf(`${origin}/t/${one}/data.json`))
    expect([...statuses]).toEqual([404])
    expect(await statusOf(`${url}data.json`)).toBe(200)
  })

  it('hostile paths reach nothing beside the page', async () => {
    const { address, origin } = await serve({ tokens })
    const { pathname } = new URL(await address('ann'))
    const paths = [
      '/t/',
      '/t//',
      '/t/%00/',
      `${pathname}../../healthz`,
      `${pathname}..%2f..%2fmcp`,
      `${pathname}%2e%2e/%2e%2e/metrics`,
      `${pathname}export/../../../etc/passwd`,
      `${pathname}export/exe`,
      `${pathname}export/constructor`,
      `${pathname}viewer.html`,
      `${pathname}/data.json`,
      `/T${pathname.slice(2)}`,
      `/x${pathname}`,
      `http://evil.example${pathname}`,
      `${pathname.slice(0, -1)}%2f`,
      `${pathname.slice(0, -1)};/data.json`,
      `${pathname.slice(0, -1)}=/data.json`,
    ]
    for (const path of paths) expect(await rawStatus(origin, path), path).toBe(404)
    for (const from of ['x', '-1', '1e9', '']) {
      const path = `${pathname}audio?from=0&to=${from}`
      expect(await rawStatus(origin, path), path).toBe(400)
    }
  })

  it('only reading is allowed, and only to the own page', async () => {
    const { address } = await serve({ tokens })
    const url = await address('ann')
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const response = await fetch(url, { method })
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    }
    const elsewhere = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }
    const { pathname: path } = new URL(url)
    const ask = (headers: Record<string, string>) => rawStatus(url, path, headers)
    expect(await ask(elsewhere)).toBe(403)
    expect(await ask({ ...elsewhere, 'sec-fetch-mode': 'navigate' })).toBe(200)
    expect(await ask({ origin: 'https://evil.example' })).toBe(403)
  })

  it('without tokens, a foreign name of the server is refused', async () => {
    const { address } = await serve()
    const url = await address()
    const { pathname: path } = new URL(url)
    expect(await rawStatus(url, path, { host: 'evil.example' })).toBe(403)
  })

  it('HEAD gives the headers alone, and ranges their bytes', async () => {
    const { address } = await serve()
    const url = await address()
    const head = await fetch(`${url}audio?from=0`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '3', ''])
    const part = await fetch(`${url}audio?from=0`, { headers: { range: 'bytes=1-' } })
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 1-2/3',
      'P3',
    ])
  })
})

describe('the key of the addresses', () => {
  it('an address opens after a restart of the server', async () => {
    const first = await serve({ key: () => keyFile(folder()).get() })
    const { pathname } = new URL(await first.address())
    await first.close()
    const again = await serve({ key: () => keyFile(folder()).get() })
    expect(await statusOf(`${again.origin}${pathname}`)).toBe(200)
  })

  it('an address of one server of a team opens at another one, and neither reads the key before', async () => {
    const oss = track(await startOss())
    const keys = [1, 2].map(() => track(keyInOss({ ...optionsFor(oss), installation: 'here' })))
    const [one, two] = [await serve({ key: keys[0]!.get }), await serve({ key: keys[1]!.get })]
    expect(oss.requests.length).toBe(0)
    const [first, second] = await Promise.all([one.address(), two.address()])
    expect(new URL(first).pathname).toBe(new URL(second).pathname)
    expect(await statusOf(`${two.origin}${new URL(first).pathname}data.json`)).toBe(200)
  })

  it('while the bucket fails, the page says so, and opens later', async () => {
    const oss = track(await startOss())
    const heal = oss.fault({ kind: 'error', status: 403, code: 'AccessDenied' })
    const { address } = await serve()
    const { pathname } = new URL(await address())
    const clock = { now: 0 }
    const key = track(keyInOss({ ...optionsFor(oss), installation: 'here', now: () => clock.now }))
    const server = await serve({ key: key.get })
    expect(await seen(`${server.origin}${pathname}`)).toEqual([
      503,
      'The page cannot be shown now. Try again in a minute.',
    ])
    heal()
    clock.now += 60_000
    expect(await statusOf(await server.address())).toBe(200)
  })
})
