// Names of speakers that the page of `speech-mcp view` sends, and who may send them.
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localOwner } from '../../../src/domain/job.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import type { ViewerData } from '../../../src/viewer/page/contract.ts'
import { openTerminal, type RunningCommand, type Terminal } from '../../support/e2e/terminal.ts'
import { talk } from '../../support/speaker-transcript.ts'
import { addressOf } from '../../support/view-address.ts'

let terminal: Terminal
let running: RunningCommand
/** With its secret part. */
let url: string

beforeAll(async () => {
  terminal = await openTerminal()
  const store = sqliteStore({ folder: terminal.env.SPEECH_DATA_DIR! })
  await store.putTranscript(localOwner, talk)
  await store.close()
  running = terminal.start(['view', talk.id])
  url = await addressOf(running)
})
afterAll(async () => {
  running.child.kill('SIGINT')
  await running.result
  await terminal.close()
})

const ownHeaders = () => ({
  host: new URL(url).host,
  origin: new URL(url).origin,
  'sec-fetch-site': 'same-origin',
  'sec-fetch-mode': 'cors',
  'content-type': 'application/json',
})

interface Sent {
  headers?: Record<string, string>
  path?: string
  method?: string
  body?: string
}

/** As a page would send it: `fetch` of Node sets some of these headers itself. */
function post({ headers, path = 'speakers', method = 'POST', body }: Sent): Promise<[number, string]> {
  const { hostname, port, pathname } = new URL(path, url)
  return new Promise((resolve, reject) => {
    const sent = body ?? JSON.stringify({ speaker: 'S2', name: 'Bob' })
    const all = { ...(headers ?? ownHeaders()), 'content-length': Buffer.byteLength(sent) }
    request({ hostname, port, path: pathname, method, headers: all }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => resolve([response.statusCode!, text]))
    })
      .on('error', reject)
      .end(sent)
  })
}

const data = async () => (await (await fetch(`${url}data.json`)).json()) as ViewerData
const labels = async () => (await data()).speakers.map(({ label }) => label)

describe('names of speakers', () => {
  it('a name that the page sends is stored, and shown with another revision', async () => {
    const before = await data()
    expect(before.canRename).toBe(true)
    expect(await post({ body: JSON.stringify({ speaker: 'S2', name: '  דנה Ö. ' }) })).toEqual([204, ''])
    expect(await labels()).toEqual(['Alice', 'דנה Ö.'])
    const revision = await (await fetch(`${url}revision`)).text()
    expect(revision).toBe((await data()).revision)
    expect(revision).not.toBe(before.revision)
    await post({ body: JSON.stringify({ speaker: 'S2', name: '' }) })
    expect(await labels()).toEqual(['Alice', 'S2'])
  })

  it('names that cannot be are refused with the sentences of the tool', async () => {
    const send = (speaker: string, name: string) => post({ body: JSON.stringify({ speaker, name }) })
    expect(await send('S2', 'S1')).toEqual([400, expect.stringContaining('S1 is the id of another speaker')])
    expect(await send('S9', 'Bob')).toEqual([400, expect.stringContaining('There is no such speaker')])
    expect(await send('S2', 'x'.repeat(101))).toEqual([400, expect.stringContaining('too long')])
    for (const body of ['', '{', '[]', 'null', '{"speaker":1,"name":"x"}', `"${'x'.repeat(5000)}"`])
      expect((await post({ body }))[0], body.slice(0, 30)).toBe(400)
    expect(await labels()).toEqual(['Alice', 'S2'])
  })

  it('a name with HTML is a name like any other', async () => {
    const name = '<img src=x onerror=alert(1)>'
    await post({ body: JSON.stringify({ speaker: 'S2', name }) })
    expect(await labels()).toEqual(['Alice', name])
    await post({ body: JSON.stringify({ speaker: 'S2', name: '' }) })
  })
})

describe('who may send them', () => {
  it.each<[string, () => Record<string, string | undefined>]>([
    ['a page of another site', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['a page of another port', () => ({ 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' })],
    ['a page of another origin', () => ({ origin: 'https://evil.example' })],
    ['a page without an origin', () => ({ origin: 'null', 'sec-fetch-site': 'cross-site' })],
    ['a form', () => ({ 'content-type': 'application/x-www-form-urlencoded' })],
    ['a form that looks like JSON', () => ({ 'content-type': 'text/plain; application/json' })],
    ['an address bar', () => ({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' })],
    ['a sender that says nothing of itself', () => ({ 'sec-fetch-site': undefined, origin: undefined })],
    ['another name of this machine', () => ({ host: 'evil.example' })],
  ])('%s is refused', async (_, more) => {
    const all = Object.entries({ ...ownHeaders(), ...more() })
    const headers = Object.fromEntries(all.filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >
    expect((await post({ headers }))[0]).toBe(403)
    expect(await labels()).toEqual(['Alice', 'S2'])
  })

  it('nothing is changed without the secret part of the address, and by other methods', async () => {
    expect((await post({ path: '/speakers' }))[0]).toBe(404)
    expect((await post({ path: `/${'x'.repeat(32)}/speakers` }))[0]).toBe(404)
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      expect((await post({ method }))[0], method).toBe(405)
    expect((await post({ path: 'data.json' }))[0]).toBe(405)
    expect(await labels()).toEqual(['Alice', 'S2'])
  })
})
