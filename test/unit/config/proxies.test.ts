// Reading the proxies of the environment, and what doctor says about them.
import { describe, expect, it } from 'vitest'
import { describeProxies } from '../../../src/cli/doctor/proxy.ts'
import { type Environment, readConfig } from '../../../src/config/config.ts'
import { describeError } from '../../../src/domain/errors.ts'

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

  it.each(['socks5://a:1', 'http://', 'http://a:99999', 'http://[::1', '::', 'http://u%zz:secret@a', 'a b'])(
    'have to hold an address: %s is an error that names the variable and not its value',
    value => {
      for (const name of ['HTTP_PROXY', 'HTTPS_PROXY'])
        try {
          readConfig({ [name]: value })
          expect.fail('It was accepted.')
        } catch (error) {
          expect(describeError(error)).toMatch(new RegExp(`^CONFIG_INVALID: The value of ${name} is no`))
          expect(describeError(error)).not.toContain('secret')
        }
    },
  )
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
    expect(describeFor({})).toMatchObject({ isOn: false })
  })
})
