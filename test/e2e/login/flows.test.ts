// Login with a real authorization server: the clients of both SDKs find it, log in, and come back with a token.
import { describe, expect, it } from 'vitest'
import { ownerOf } from '../../../src/server/http/login/login.ts'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { serversOfEachTest } from '../../support/e2e/http.ts'
import { allScopes, issuersOfEachTest } from '../../support/login/issuer.ts'
import { oauthClients } from '../../support/login/oauth-clients.ts'
import { type ProviderOptions, providerAudience, startProvider } from '../../support/login/provider.ts'

const [read, write, spend] = allScopes.split(' ') as [string, string, string]
const providerOf = closedAfterEach(startProvider)
const issuerOf = issuersOfEachTest()
const serve = serversOfEachTest()

async function open(options: ProviderOptions = {}) {
  const [provider, issuer] = await Promise.all([providerOf(options), issuerOf()])
  const login = issuer.login({ issuer: provider.url, audiences: [providerAudience] })
  let moved = 0
  const { url, jobs } = await serve({ login, limits: { now: () => Date.now() + moved } })
  return {
    provider,
    jobs,
    access: (name: string) => ({ url, issuer: provider.url, name }),
    move(ms: number): void {
      moved = ms
    },
    idOf: (name: string) => `tr_${ownerOf(provider.url, 'sub', name)}`,
  }
}

describe.each(oauthClients)('%s', (sdk, connect) => {
  it('logs in by itself, then reads and spends as the person who has logged in', async () => {
    const { access, idOf, jobs } = await open()
    const client = await connect(access('ann'))
    expect(client.memory.visits).toHaveLength(1)
    expect(client.askedFor()).toEqual(expect.arrayContaining([read, write, spend]))
    expect(client.memory.visits[0]!.searchParams.get('resource')).toBe(access('ann').url)
    const [transcript] = await client.readResource(`transcript://${idOf('ann')}`)
    expect(transcript!.text).toContain('said')
    const call = client.call('transcribe_audio', { audio: '/a.wav' })
    await expect.poll(() => jobs.waiting()).toBe(1)
    jobs.release()
    expect((await call).structuredContent).toMatchObject({ transcript_id: idOf('ann') })
    expect(client.memory.visits).toHaveLength(1)
    await client.close()
  })

  it('registers itself where it is not known', async () => {
    const { access, idOf } = await open()
    const client = await connect({ ...access('ann'), registers: true })
    expect(await client.readResource(`transcript://${idOf('ann')}`)).toHaveLength(1)
    await client.close()
  })

  it('asks for more where a call needs it, and keeps what it had', async () => {
    // The first SDK renews its token where it can, instead of asking for another one.
    const { access, idOf, jobs, provider } = await open({ refreshes: !sdk.includes('v1') })
    provider.grants = read
    const client = await connect(access('ann'))
    expect(await client.readResource(`transcript://${idOf('ann')}`)).toHaveLength(1)
    provider.grants = allScopes
    const call = client.call('transcribe_audio', { audio: '/a.wav' })
    await expect.poll(() => jobs.waiting(), { timeout: 20_000 }).toBe(1)
    jobs.release()
    expect((await call).structuredContent).toMatchObject({ transcript_id: idOf('ann') })
    expect(client.askedFor()).toEqual(expect.arrayContaining([read, write, spend]))
    expect(await client.readResource(`transcript://${idOf('ann')}`)).toHaveLength(1)
    await client.close()
  })

  it('gets a new token by itself when the old one has ended', async () => {
    const { access, idOf, move, provider } = await open({ tokenLife: 30 })
    const client = await connect(access('ann'))
    const first = client.memory.tokens!.access_token
    move(95_000)
    provider.onTokens = () => move(0)
    expect(await client.readResource(`transcript://${idOf('ann')}`)).toHaveLength(1)
    expect(client.memory.tokens!.access_token).not.toBe(first)
    expect(client.memory.visits).toHaveLength(1)
    await client.close()
  })

  it('does not see what belongs to another person', async () => {
    const { access, idOf } = await open()
    const [ann, bob] = await Promise.all([connect(access('ann')), connect(access('bob'))])
    expect(await ann.readResource(`transcript://${idOf('ann')}`)).toHaveLength(1)
    await expect(bob.readResource(`transcript://${idOf('ann')}`)).rejects.toThrow(/not found/i)
    await Promise.all([ann.close(), bob.close()])
  })

  it('works on with new keys of the provider, and while it is down', async () => {
    const { access, idOf, move, provider } = await open()
    const ann = await connect(access('ann'))
    await provider.rotate()
    move(11_000)
    const bob = await connect(access('bob'))
    await provider.close()
    for (const [client, name] of [
      [ann, 'ann'],
      [bob, 'bob'],
    ] as const)
      expect(await client.readResource(`transcript://${idOf(name)}`)).toHaveLength(1)
    await Promise.all([ann.close(), bob.close()])
  })

  it('is refused for good where the provider never grants a scope', async () => {
    const { access, jobs, provider } = await open()
    provider.grants = `${read} ${write}`
    const client = await connect(access('ann'))
    await expect(client.call('transcribe_audio', { audio: '/a.wav' })).rejects.toThrow(/403|Unauthorized/)
    expect(jobs.waiting()).toBe(0)
    await client.close()
  })
})
