// Reading the proxies of the environment, and what doctor says about them.
import { describe, expect, it } from 'vitest'
import { describeProxies } from '../../../src/cli/doctor/proxy.ts'
import { type Environment, readConfig } from '../../../src/config/config.ts'

const proxies = (environment: Environment) => {
  const { http, https, exceptions = '' } = readConfig(environment).proxies ?? {}
  return [http?.href, https?.href, exceptions]
}

describe('the variables of proxies', () => {
  it.each<[string, Environment, unknown]>([
    ['upper case', { HTTP_PROXY: 'http://a:1', NO_PROXY: 'b' }, ['http://a:1/', undefined, 'b']],
    ['lower case', { https_proxy: 'https://a:1', no_proxy: 'b' }, [undefined, 'https://a:1/', 'b']],
    ['lower case first', { https_proxy: 'http://a', HTTPS_PROXY: 'http://b' }, [undefined, 'http://a/', '']],
    ['without a scheme', { HTTPS_PROXY: ' proxy.corp:3128 ' }, [undefined, 'http://proxy.corp:3128/', '']],
    ['empty', { HTTPS_PROXY: '', NO_PROXY: 'b' }, [undefined, undefined, '']],
    ['with NO_PROXY=*', { HTTPS_PROXY: 'socks5://a:1', NO_PROXY: '*' }, [undefined, undefined, '']],
  ])('count in %s', (_, environment, expected) => {
    expect(proxies(environment)).toEqual(expected)
  })

  it.each([
    ...['socks5://a:1', 'socks5h://a:1', 'socks4://a:1', 'ftp://a', 'direct://'],
    ...['http://', 'http://a:99999', 'http://[::1', '::', 'http://u%zz:secret@a', 'a b'],
  ])('are not used, and named, where they hold what cannot be used: %s', value => {
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']) {
      const { proxies, unusedProxies } = readConfig({ [name]: value })
      expect([proxies, unusedProxies]).toEqual([undefined, [name.toUpperCase()]])
    }
  })

  it('are each read by themselves', () => {
    const environment = { http_proxy: 'http://a:1', HTTPS_PROXY: 'socks5://b:1' }
    expect(proxies(environment)).toEqual(['http://a:1/', undefined, ''])
    expect(readConfig(environment).unusedProxies).toEqual(['HTTPS_PROXY'])
    expect(readConfig({ ...environment, NO_PROXY: 'c, *' }).unusedProxies).toEqual([])
  })
})

describe('doctor', () => {
  const engine = { model: 'openai:whisper' } as Parameters<typeof describeProxies>[1]['engines'][number]
  const describeFor = (environment: Environment) =>
    describeProxies(readConfig(environment), { checkGemini: async () => {}, engines: [engine] })

  it('says for each host in use whether a proxy is asked, without user and password', () => {
    const found = describeFor({
      HTTPS_PROXY: 'http://someone:secret@proxy.corp:3128',
      NO_PROXY: 'googleapis.com',
      ASR_MODEL: 'openai:whisper',
      OPENAI_BASE_URL: 'http://127.0.0.1:8000/v1',
      OSS_BUCKET: 'audio',
      ALIBABA_ACCESS_KEY: 'k',
      ALIBABA_SECRET_KEY: 's',
    })
    expect(found).toEqual({
      isOn: true,
      text: 'dashscope-intl.aliyuncs.com, oss-eu-central-1.aliyuncs.com through http://proxy.corp:3128; generativelanguage.googleapis.com, 127.0.0.1:8000 directly; downloads through http://proxy.corp:3128',
    })
  })

  it('says that there is none', () => {
    expect(describeFor({})).toMatchObject({ isOn: false, text: expect.stringMatching(/^none: /) })
  })

  it.each<Environment>([{}, { HTTP_PROXY: 'http://proxy.corp:3128' }])(
    'warns of a proxy that is not used, also beside one that is, and says what to do: %o',
    others => {
      const { isOn, text } = describeFor({ ...others, https_proxy: 'socks5://someone:secret@a:1' })
      expect(isOn).toBe(false)
      expect(text).toMatch(
        /^HTTPS_PROXY is not used, because only http:\/\/ and https:\/\/ .*: set http:\/\/.*, or NO_PROXY=\*/,
      )
      expect(text).not.toMatch(/secret|someone/)
      expect(/ through http:\/\/proxy\.corp:3128/.test(text)).toBe('HTTP_PROXY' in others)
    },
  )
})
