// The page at an address of a server that ends: links that lead to a second, and the end of the address.
import { serveHttp } from '../../src/server/http/http.ts'
import { pageAddress } from '../../src/server/http/pages/address.ts'
import { createSeals } from '../../src/server/http/pages/seals.ts'
import { fakeJobs } from '../support/jobs/fake-jobs.ts'
import type { BrowserPage } from './browser.ts'
import { hourOfSpeech, toneClips } from './hour.ts'
import { tell } from './tell.ts'

interface Copied {
  said: string
  text: string
}

export async function atAddress(page: BrowserPage): Promise<void> {
  const shown = hourOfSpeech()
  const tones = await toneClips(shown)
  const jobs = {
    ...fakeJobs(),
    read: async () => shown,
    clip: (_owner: string, _id: string, { from = 0 }) => tones.clip(from),
  }
  const seals = createSeals(async () => Buffer.alloc(32, 1))
  const clock = { now: Date.now() }
  const server = await serveHttp(
    { jobs, seals, version: '0', waitSeconds: 45 },
    { host: '127.0.0.1', port: 0, tokens: [], limits: { now: () => clock.now } },
  )
  try {
    const { origin } = new URL(server.url)
    const { url } = await pageAddress(seals, origin, { owner: 'local', id: shown.id }, clock.now)
    await page.send('Browser.grantPermissions', {
      ...{ origin, permissions: ['clipboardReadWrite', 'clipboardSanitizedWrite'] },
    })
    page.events.length = 0
    await page.goto(`${url}#t=1803.5`)
    await page.evaluate('test.shown()')
    const opened = await page.evaluate<{ time: string; now: string }>('test.opened()')
    tell('a link opens at its second', opened, opened.time === '30:00' && opened.now === '30:03')
    const link = await page.evaluate<Copied>('test.copy("copy-link")')
    tell('the link of a stretch', link, link.text === `${url}#t=1800` && link.said.includes('The link ends'))
    const quote = await page.evaluate<Copied>('test.copy("copy-quote")')
    tell('a quote has the link', quote.text, quote.text.endsWith(`\n(30:00, ${url}#t=1800)`))
    await page.evaluate('location.hash = "#t=9.1"')
    const moved = await page.evaluate<{ time: string }>('test.opened()')
    tell('another second of the same page', moved, moved.time === '0:09')
    const played = await page.evaluate<number>('test.playFirst()')
    tell('seconds played', played, played > 0.3)
    clock.now += 14 * 3600 * 1000
    const ended = await page.evaluate<string>('test.refused()')
    tell('the end of the address is told', ended, ended.startsWith('This address has ended.'))
    clock.now = Date.now()
    await page.goto(`${url}audio?from=9&to=20`)
    const heard = await page.evaluate<number>('test.playShown()')
    tell('seconds played of a clip by itself', heard, heard > 0.3)
    const foreign = page.events.filter(event => !event.includes('"blob:') && !event.includes(url))
    tell('errors and requests elsewhere', foreign, foreign.length === 0)
  } finally {
    await server.close()
  }
}
