// speech-mcp view: the page over HTTP, without a browser.
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ViewerData } from '../../../src/viewer/page/contract.ts'
import { fixture } from '../../support/e2e/system.ts'
import { openTerminal, type RunningCommand, type Terminal } from '../../support/e2e/terminal.ts'
import { addressOf } from '../../support/view-address.ts'

let terminal: Terminal
let running: RunningCommand
/** With its secret part. */
let url: string
const title = '</script><img src=x onerror=alert(1)>'

beforeAll(async () => {
  terminal = await openTerminal()
  const { stderr } = await terminal.run(['transcribe', fixture('clip.mp4'), '--title', title])
  running = terminal.start(['view', /tr_\w+/.exec(stderr)![0]])
  url = await addressOf(running)
})
afterAll(async () => {
  running.child.kill('SIGINT')
  expect((await running.result).code).toBe(0)
  await terminal.close()
})

const get = (path = '', headers: Record<string, string> = {}) => fetch(`${url}${path}`, { headers })

/** `fetch` sets some headers itself. */
function statusOf(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<number> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method, headers }, response => {
      response.resume()
      resolve(response.statusCode!)
    })
      .on('error', reject)
      .end()
  })
}

describe('the page', () => {
  it('its policy names its one script and its one style, and no other origin', async () => {
    const response = await get()
    const html = await response.text()
    expect(html.length).toBeLessThan(150_000)
    const policy = response.headers.get('content-security-policy')!
    const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    const scripts = [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, text]) => hashOf(text!))
    const styles = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text]) => hashOf(text!))
    expect([scripts.length, styles.length]).toEqual([1, 1])
    expect(policy).toContain(`default-src 'none'; script-src ${scripts[0]}; style-src ${styles[0]};`)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(html).not.toMatch(/\bhttps?:\/\/(?!www\.w3\.org)/)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
    })
  })

  it('the page holds nothing of the transcript, which comes as JSON', async () => {
    expect(await (await get()).text()).not.toContain('onerror=alert')
    const response = await get('data.json')
    expect(response.headers.get('content-type')).toBe('application/json')
    const data = (await response.json()) as ViewerData
    expect(data.title).toBe(title)
    expect(data.rows.map(({ text }) => text).join(' ')).toContain('crease the sheet along its longer side')
    expect(data.formats).toContain('srt')
  })
})

describe('sound', () => {
  it('a piece says which stretch it is, and the next one goes on at its end', async () => {
    const response = await get('audio?from=5')
    expect(response.headers.get('content-type')).toBe('audio/mpeg')
    const [start, end] = ['x-piece-start', 'x-piece-end'].map(name => Number(response.headers.get(name)))
    expect(start).toBeLessThanOrEqual(5)
    expect(end).toBeGreaterThan(9)
    const whole = Buffer.from(await response.arrayBuffer())
    expect(whole.subarray(0, 200).includes('Info')).toBe(true)
    const part = await get('audio?from=5', { range: 'bytes=100-199' })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe(`bytes 100-199/${whole.length}`)
    expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(100, 200))
    expect((await get('audio?from=5', { range: 'bytes=9999999-' })).status).toBe(416)
  })

  it('times that are none, or behind the end, are refused with advice', async () => {
    for (const from of ['x', '-1', '1e9', '']) expect((await get(`audio?from=${from}`)).status).toBe(400)
    const behind = await get('audio?from=1000')
    expect([behind.status, await behind.text()]).toEqual([
      400,
      expect.stringMatching(/behind the end.*0:17/s),
    ])
  })
})

describe('the picture of the sound', () => {
  it('it has the peaks of the recording, computed by the time the page asks again', async () => {
    const ask = async (): Promise<number[]> => {
      const { peaks } = (await (await get('waveform')).json()) as { peaks?: number[] }
      return peaks ?? ask()
    }
    const peaks = await ask()
    expect(peaks.length).toBeGreaterThan(500)
    expect(peaks.every(peak => Number.isInteger(peak) && peak >= 0 && peak <= 255)).toBe(true)
    // Speech with pauses.
    expect(Math.max(...peaks)).toBeGreaterThan(50)
    expect(Math.min(...peaks)).toBeLessThan(20)
  })
})

describe('files', () => {
  it('each format is a download with its type, and another name is not found', async () => {
    const response = await get('export/srt')
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="tr_\w+\.srt"$/)
    expect(await response.text()).toMatch(/^1\r?\n00:00:/)
    for (const name of ['exe', '..%2fdata.json', 'constructor'])
      expect((await get(`export/${name}`)).status).toBe(404)
  })
})

describe('who may see the page', () => {
  it('nothing is shown without the secret part of the address', async () => {
    const secret = new URL(url).pathname.split('/')[1]!
    expect(secret.length).toBe(32)
    const wrong = [
      '/',
      '/data.json',
      `/${secret}`,
      `/${secret.slice(1)}/`,
      `/x${secret}/`,
      '//data.json',
      '/%00/',
    ]
    for (const path of wrong) expect(await statusOf(path), path).toBe(404)
  })

  it('other names of this machine, other pages and other methods are refused', async () => {
    const { pathname, host, port } = new URL(url)
    const own = { host }
    expect(await statusOf(pathname, own)).toBe(200)
    expect(await statusOf(pathname, { host: 'evil.example' })).toBe(403)
    expect(await statusOf(pathname, { host: `evil.example:${port}` })).toBe(403)
    expect(await statusOf(pathname, { ...own, origin: 'https://evil.example' })).toBe(403)
    expect(await statusOf(pathname, { ...own, origin: 'http://127.0.0.1:1' })).toBe(403)
    expect(await statusOf(pathname, { ...own, origin: 'null' })).toBe(403)
    const elsewhere = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }
    expect(await statusOf(`${pathname}audio`, { ...own, ...elsewhere })).toBe(403)
    expect(await statusOf(pathname, own, 'POST')).toBe(405)
  })

  it('an unknown id is refused before anything is served', async () => {
    expect(await terminal.run(['view', 'tr_none'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^TRANSCRIPT_NOT_FOUND/),
    })
    expect((await terminal.run(['view'])).code).toBe(2)
  })
})
