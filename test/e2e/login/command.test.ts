// The built program with a login: `speech-mcp http`, what it loads and logs, and the check of `doctor`.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { post } from '../../support/e2e/http.ts'
import { fixture, startHttpServer } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'
import { noteLoadedModules } from '../../support/loaded-modules.ts'
import { audience, bearer, issuersOfEachTest, type TestIssuer } from '../../support/login/issuer.ts'
import { oauthClients } from '../../support/login/oauth-clients.ts'
import { providerAudience, startProvider } from '../../support/login/provider.ts'

const providerOf = closedAfterEach(startProvider)
const issuerOf = issuersOfEachTest()
let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal()
  await terminal.dashscope.warmUp()
})
afterAll(() => terminal.close())

const settingsOf = ({ url }: { url: string }, names = audience) => ({
  SPEECH_OAUTH_ISSUER: url,
  SPEECH_OAUTH_AUDIENCE: names,
})

describe('speech-mcp http', () => {
  it('lets people of a login transcribe, each for themselves', async () => {
    const provider = await providerOf()
    const settings = { ...settingsOf(provider, providerAudience), SPEECH_ALLOWED_DIRS: fixture('') }
    const server = await startHttpServer({ ...terminal.env, ...settings, SPEECH_LOG: 'debug' })
    expect(server.stderr()).toContain(`(login with ${new URL(provider.url).host}; `)
    const access = { url: server.url, issuer: provider.url }
    const [[, connectFirst], [, connectLast]] = [oauthClients[0]!, oauthClients.at(-1)!]
    const [ann, bob] = [
      await connectFirst({ ...access, name: 'ann' }),
      await connectLast({ ...access, name: 'bob' }),
    ]
    const audio = fixture('voice-note.ogg')
    const result = await ann.call('transcribe_audio', { audio })
    expect(result.structuredContent).toMatchObject({ status: 'completed' })
    const uri = `transcript://${result.structuredContent.transcript_id}`
    expect(await ann.readResource(uri)).toHaveLength(1)
    await expect(bob.readResource(uri)).rejects.toThrow(/not found/i)
    const signature = ann.memory.tokens!.access_token.split('.')[2]!
    await Promise.all([ann.close(), bob.close()])
    expect(await server.stop()).toBe(0)
    expect(server.stderr()).not.toContain(signature)
  })

  it('loads what checks tokens with the first one, and nothing of it without a login', async () => {
    const issuer = await issuerOf()
    const loads = async (name: string, settings: Record<string, string>) => {
      const { env, loaded } = await noteLoadedModules(terminal.work, name)
      const server = await startHttpServer({ ...terminal.env, ...env, ...settings })
      const parts = async () => {
        const modules = await loaded()
        return ['login', 'jwt-check'].filter(part => modules.some(url => url.includes(`/chunks/${part}-`)))
      }
      const list = async (headers = {}) =>
        (await post(server.url, { id: 1, method: 'tools/list' }, headers)).status
      const before = [await list(), await list(bearer('no-token-of-any-kind')), await parts()]
      const after = [await list(bearer(await issuer.sign())), await parts()]
      await server.stop()
      return [...before, ...after]
    }
    expect(await loads('login', settingsOf(issuer))).toEqual([
      401,
      401,
      ['login'],
      200,
      ['login', 'jwt-check'],
    ])
    expect(await loads('none', {})).toEqual([200, 200, [], 200, []])
  })
})

describe('doctor', () => {
  async function check(settings: Record<string, string>) {
    const { code, stdout } = await terminal.run(['doctor'], { env: settings })
    return { code, line: stdout.split('\n').find(line => line.includes(' login: ')) }
  }

  it('names the keys of the identity provider', async () => {
    const { code, line } = await check(settingsOf(await issuerOf()))
    expect(line).toMatch(/^ok {4}login: 127\.0\.0\.1:\d+ has 1 key \(ES256\) for https:\S+; owners by sub$/)
    expect(code).toBe(0)
  })

  it('says nothing about a login that is not set', async () => {
    expect((await check({})).line).toBeUndefined()
  })

  it.each([
    ['does not answer', () => ({ url: 'http://127.0.0.1:1' }), /PROVIDER_UNREACHABLE/],
    [
      'has no metadata',
      ({ url }: TestIssuer) => ({ url: `${url}/keys` }),
      /CONFIG_INVALID: No metadata .*\(404\)/,
    ],
    [
      'names itself otherwise',
      ({ url }: TestIssuer) => ({ url: `${url}/` }),
      /CONFIG_INVALID: .* slash at the end/,
    ],
  ])('fails if the identity provider %s', async (_, providerOf, expected) => {
    const { code, line } = await check(settingsOf(providerOf(await issuerOf())))
    expect(line).toMatch(/^FAIL {2}login: /)
    expect(line).toMatch(expected)
    expect(line).toContain('SPEECH_OAUTH_ISSUER')
    expect(code).toBe(1)
  })
})
