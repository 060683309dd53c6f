// Login in a real browser, where a person types a name and says yes or no: `npm run test:login`. Not part of CI.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ownerOf } from '../../src/server/http/login/login.ts'
import { closedAfterEach } from '../support/closed-after-each.ts'
import { serversOfEachTest } from '../support/e2e/http.ts'
import { issuersOfEachTest } from '../support/login/issuer.ts'
import { oauthClients, type Person } from '../support/login/oauth-clients.ts'
import { providerAudience, startProvider } from '../support/login/provider.ts'
import { hasChromium, openPage, type Page } from '../support/servers/chromium.ts'

const providerOf = closedAfterEach(startProvider)
const issuerOf = issuersOfEachTest()
const serve = serversOfEachTest()

/** Where clients of a desktop wait for the person to come back. */
const callbacks: string[] = []
const callback = createServer(({ url = '' }, response) => {
  if (url.startsWith('/callback')) callbacks.push(url)
  response.setHeader('content-type', 'text/html')
  response.end('<!doctype html><title>Back</title><h1>You may close this page.</h1>')
})
let page: Page
let redirectUrl: string
beforeAll(async () => {
  if (!hasChromium) return
  page = await openPage()
  await new Promise<void>(resolve => callback.listen(0, '127.0.0.1', resolve))
  redirectUrl = `http://127.0.0.1:${(callback.address() as AddressInfo).port}/callback`
})
afterAll(async () => {
  await page?.close()
  callback.closeAllConnections()
  callback.close()
})

/** `answer`: what the person clicks on when asked for leave. */
function person(answer: string, seen: string[] = []): Person {
  return {
    redirectUrl,
    async logIn(address, name) {
      await page.goto(address.href)
      const isAsked = () => page.evaluate(`document.querySelector('[name=login]') !== null`)
      if (await isAsked()) {
        await page.evaluate(`document.querySelector('[name=login]').value = ${JSON.stringify(name)}`)
        await page.evaluate(`document.querySelector('[name=password]').value = 'any'`)
        await page.follow(`document.querySelector('button[type=submit]').click()`)
      }
      seen.push(String(await page.evaluate('document.body.innerText')))
      await page.follow(`document.querySelector(${JSON.stringify(answer)}).click()`)
      expect(await page.evaluate('document.title')).toBe('Back')
      return new URL(callbacks.at(-1)!, redirectUrl)
    },
  }
}

describe.skipIf(!hasChromium).each(oauthClients)('%s in Chromium', (_, connect) => {
  async function open() {
    const [provider, issuer] = await Promise.all([providerOf(), issuerOf()])
    const login = issuer.login({ issuer: provider.url, audiences: [providerAudience] })
    const server = await serve({ login })
    return { access: { url: server.url, issuer: provider.url, name: 'ann' }, provider }
  }

  it('works for a person who logs in and says yes to the scopes on the page', async () => {
    const { access, provider } = await open()
    const seen: string[] = []
    const client = await connect({ ...access, person: person('button[type=submit]', seen) })
    for (const scope of ['transcripts:read', 'transcripts:write', 'speech:spend'])
      expect(seen[0]).toContain(scope)
    const id = `tr_${ownerOf(provider.url, 'sub', 'ann')}`
    expect(await client.readResource(`transcript://${id}`)).toHaveLength(1)
    await client.close()
  })

  it('does not work for a person who says no', async () => {
    const { access } = await open()
    await expect(connect({ ...access, person: person('a[href$="/abort"]') })).rejects.toThrow(
      /access_denied|denied|abort/i,
    )
    expect(callbacks.at(-1)).toContain('error=access_denied')
  })
})
