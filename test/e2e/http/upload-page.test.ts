// The page for uploads in a real browser, also over a line that breaks.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { startBreakingLine } from '../../support/servers/breaking-line.ts'
import { hasChromium, openPage } from '../../support/servers/chromium.ts'
import { bytesOf, sha256, uploadServersOfEachTest } from '../../support/servers/upload-server.ts'

const serve = uploadServersOfEachTest()
const openLine = closedAfterEach(startBreakingLine)
const browse = closedAfterEach(openPage)

describe.skipIf(!hasChromium)('the page at the address of a ticket', () => {
  it('the page sends the chosen file over a line that breaks, and shows the address of the upload', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const line = await openLine({ target: url, breakBytes: 1e6 })
    const file = join(server.folder, 'Talk – März.wav')
    const bytes = bytesOf(3_500_000)
    await writeFile(file, bytes)
    const page = await browse(line.over(url))
    await page.choose('#file', file)
    const shown = () => page.evaluate('document.getElementById("state").textContent')
    await vi.waitFor(async () => expect(await shown()).toContain(`upload://${id}`), { timeout: 100_000 })
    expect(line.breaks()).toBeGreaterThanOrEqual(3)
    expect(await server.uploads.find('local', id)).toEqual({
      id,
      name: 'Talk – März.wav',
      bytes: bytes.length,
      hash: sha256(bytes),
    })
    // A request that broke is a line in the console of Chromium.
    expect(page.complaints.filter(text => !/Failed to load resource/.test(text))).toEqual([])
  })

  it('the page goes on with the same file in another browser, and refuses another one', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    const [file, other] = ['a.wav', 'b.wav'].map(name => join(server.folder, name)) as [string, string]
    const bytes = bytesOf(400_000)
    await writeFile(file, bytes)
    await writeFile(other, bytes)
    const line = await openLine({ target: url, breakBytes: 200_000 })
    const first = await browse(line.over(url))
    await first.choose('#file', file)
    await line.broken
    await line.close()
    const state = '(() => document.getElementById("state").textContent)()'
    const second = await browse(url)
    await second.choose('#file', other)
    await vi.waitFor(async () => expect(await second.evaluate(state)).toMatch(/another file/), {
      timeout: 100_000,
    })
    await second.choose('#file', file)
    await vi.waitFor(async () => expect(await second.evaluate(state)).toContain(id), { timeout: 100_000 })
    expect((await server.uploads.find('local', id)).hash).toBe(sha256(bytes))
  })

  it('the page of a whole upload names it, and no other page may show or run anything', async () => {
    const server = await serve()
    const { id, url } = await server.ticket()
    await fetch(url, { method: 'PUT', body: bytesOf(100) })
    const answer = await fetch(url)
    expect(await answer.text()).toContain(`upload://${id}`)
    const policy = answer.headers.get('content-security-policy')
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[^ ]+'; style-src 'sha256-[^ ]+'; connect-src 'self'/,
    )
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
  })
})
