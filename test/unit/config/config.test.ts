// Reading the settings: defaults, flags, environment, invalid values and keys.
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Config, type Environment, readConfig, unfilledTemplates } from '../../../src/config/config.ts'
import { describeError, type SpeechError } from '../../../src/domain/errors.ts'

const home = homedir()
/** Handed on by a client when the user left a field empty. */
const template = (name: string) => `\${${name}}`

function refusal(environment: Environment, flags?: Environment): SpeechError {
  try {
    readConfig(environment, flags)
  } catch (error) {
    return error as SpeechError
  }
  throw new Error('The setting was accepted.')
}

describe('the default settings', () => {
  it('an empty environment gives the defaults', () => {
    expect(readConfig({ PATH: '/bin' })).toMatchObject({
      apiKey: undefined,
      baseUrl: 'https://dashscope-intl.aliyuncs.com/api/v1',
      asrModels: ['qwen3-asr-flash', 'qwen-audio-3.1-asr-flash'],
      speakerModels: ['fun-asr-mtl', 'fun-asr', 'qwen-audio-3.1-asr-flash-filetrans'],
      fileModels: ['qwen3-asr-flash-filetrans', 'qwen-audio-3.1-asr-flash-filetrans'],
      modelDescriptions: [],
      formatModels: ['qwen-turbo', 'qwen-flash', 'gemini-2.5-flash', 'gemini-3.5-flash-lite'],
      geminiKey: undefined,
      geminiUrl: 'https://generativelanguage.googleapis.com/v1beta',
      ossBucket: undefined,
      ossEndpoint: 'oss-eu-central-1.aliyuncs.com',
      ossRegion: undefined,
      pollSeconds: 5,
      ffmpegPath: undefined,
      allowedDirs: [home],
      allowedDirsGiven: false,
      concurrency: 8,
      maxDownloadMb: 2048,
      logLevel: 'warn',
      searchPath: '/bin',
    })
  })

  it.runIf(process.platform === 'linux')('the default data folder follows the XDG convention', () => {
    expect(readConfig({}).dataDir).toBe(join(home, '.local/share/speech-mcp'))
    expect(readConfig({ XDG_DATA_HOME: '/data' }).dataDir).toBe('/data/speech-mcp')
    expect(readConfig({ XDG_DATA_HOME: 'not/absolute' }).dataDir).toBe(join(home, '.local/share/speech-mcp'))
  })
})

describe('a setting', () => {
  it('a flag overrides the environment', () => {
    const environment = { ASR_MODEL: 'from-environment', SPEECH_CONCURRENCY: '3' }
    const config = readConfig(environment, { 'asr-model': 'from-flag' })
    expect(config).toMatchObject({ asrModels: ['from-flag'], concurrency: 3 })
  })

  it.each(['', '   ', template('user_config.model'), ` ${template('ASR_MODEL')} `, template('')])(
    'a setting with the value %j is unset',
    value => {
      expect(readConfig({ ASR_MODEL: value }).asrModels[0]).toBe('qwen3-asr-flash')
      expect(readConfig({ ASR_MODEL: 'mine' }, { 'asr-model': value }).asrModels).toEqual(['mine'])
    },
  )

  it('unfilled templates are listed for the log', () => {
    const environment = { DASHSCOPE_API_KEY: template('key'), ASR_MODEL: 'mine', OTHER: template('x') }
    expect(unfilledTemplates(environment)).toEqual(['DASHSCOPE_API_KEY'])
  })

  it('spaces around a value are removed', () => {
    expect(readConfig({ DASHSCOPE_API_KEY: ' sk-1\n' }).apiKey).toBe('sk-1')
  })

  it.each([
    ['https://host.example/api/v1/', 'https://host.example/api/v1'],
    ['http://127.0.0.1:8080//', 'http://127.0.0.1:8080'],
    ['https://dashscope.aliyuncs.com.example/api/v1', 'https://dashscope.aliyuncs.com.example/api/v1'],
  ])('the address %s is accepted', (given, expected) => {
    expect(readConfig({ DASHSCOPE_BASE_URL: given }).baseUrl).toBe(expected)
  })

  it.each([
    'oss-eu-central-1.aliyuncs.com',
    'https://audio.oss-eu-central-1-internal.aliyuncs.com/',
    'http://localhost:8089',
    'http://127.0.0.1:8089/',
  ])('the endpoint %s is accepted', endpoint => {
    expect(readConfig({ OSS_ENDPOINT: endpoint }).ossEndpoint).toBe(endpoint)
  })

  it.each(['0.05', '0.5', '60'])('a poll interval of %s seconds is accepted', seconds => {
    expect(readConfig({ SPEECH_POLL_SECONDS: seconds }).pollSeconds).toBe(Number(seconds))
  })

  it.each([
    ['/a:/b', ['/a', '/b']],
    ['/a,/b', ['/a', '/b']],
    ['/a, ~/b : /c', ['/a', join(home, 'b'), '/c']],
    ['~', [home]],
    ['~someone', [resolve('~someone')]],
    ['/with, a comma', ['/with, a comma']],
    ['/a:,/b,', ['/a', '/b']],
    ['relative', [resolve('relative')]],
    ['/a/../b/', ['/b']],
  ])('the folders %j are parsed as %j', (given, expected) => {
    expect(readConfig({ SPEECH_ALLOWED_DIRS: given })).toMatchObject({
      allowedDirs: expected,
      allowedDirsGiven: true,
    })
  })

  it.each([
    ['qwen-flash', ['qwen-flash']],
    [' qwen-flash , gemini-2.5-flash,, qwen-flash', ['qwen-flash', 'gemini-2.5-flash']],
  ])('the models %j are parsed as %j', (given, expected) => {
    expect(readConfig({ FORMAT_MODELS: given }).formatModels).toEqual(expected)
  })

  it('the descriptions of models are parsed, and facts that are not given stay absent', () => {
    const given =
      'mine form=dashscope-file roles=words+speakers usd_per_second=0.00001; fun-asr per_minute=60'
    expect(readConfig({ SPEECH_MODELS: given }).modelDescriptions).toEqual([
      {
        name: 'mine',
        source: 'SPEECH_MODELS',
        form: 'dashscope-file',
        provider: 'dashscope',
        roles: ['words', 'speakers'],
        price: { usdPerSecond: 0.00001 },
      },
      { name: 'fun-asr', source: 'SPEECH_MODELS', perMinute: 60 },
    ])
  })

  it.each(['mine form=unknown', 'mine colour=red', 'mine usd_per_second=-1', 'mine form', ';'])(
    'the description %j of a model is refused, and the error names the setting',
    given => {
      expect(() => readConfig({ SPEECH_MODELS: given })).toThrow(/SPEECH_MODELS/)
    },
  )

  it('a path may start with ~', () => {
    expect(readConfig({ FFMPEG_PATH: '~/bin/ffmpeg', SPEECH_DATA_DIR: '~/data' })).toMatchObject({
      ffmpegPath: join(home, 'bin/ffmpeg'),
      dataDir: join(home, 'data'),
    })
    expect(readConfig({ FFMPEG_PATH: 'ffmpeg' }).ffmpegPath).toBe('ffmpeg')
    expect(readConfig({ FFMPEG_PATH: './ffmpeg' }).ffmpegPath).toBe(join(process.cwd(), 'ffmpeg'))
  })
})

describe('an invalid value', () => {
  it.each([
    ['DASHSCOPE_BASE_URL', 'SECRET address', 'an address such as'],
    ['DASHSCOPE_BASE_URL', 'https://', 'an address such as'],
    ['DASHSCOPE_BASE_URL', 'http://[::1', 'an address such as'],
    ['DASHSCOPE_BASE_URL', 'ftp://SECRET.example', 'an address such as'],
    ['DASHSCOPE_BASE_URL', 'SECRET.example/api/v1', 'an address such as'],
    ['DASHSCOPE_BASE_URL', 'https://dashscope.aliyuncs.com/api/v1', 'Beijing'],
    ['DASHSCOPE_BASE_URL', 'HTTPS://DashScope.aliyuncs.com', 'Beijing'],
    ['DASHSCOPE_BASE_URL', 'https://dashscope.aliyuncs.com:443', 'Beijing'],
    ['DASHSCOPE_BASE_URL', 'https://SECRET:SECRET@dashscope.aliyuncs.com./api/v1', 'Beijing'],
    ['DASHSCOPE_API_KEY', 'sk-SECRET with blanks', 'the key as the console shows it'],
    ['DASHSCOPE_API_KEY', 'sk-SECRET“', 'the key as the console shows it'],
    ['ASR_MODEL', 'paraformer-v2', 'paraformer is not supported'],
    ['ASR_MODEL', 'Paraformer-v1', 'paraformer is not supported'],
    ['FORMAT_MODELS', ' , ', 'a list of models such as qwen-turbo,qwen-flash'],
    ['FORMAT_MODELS', 'qwen-flash,SECRET model', 'a list of models such as'],
    ['GEMINI_BASE_URL', 'http://SECRET.example/v1beta', 'http:// is only for emulators'],
    ['GEMINI_API_KEY', 'SECRET SECRET', 'the key as the console shows it'],
    ['SPEAKER_MODEL', 'paraformer-v2', 'paraformer is not supported'],
    ['FILE_MODEL', 'paraformer-v2', 'paraformer is not supported'],
    ['OSS_BUCKET', 'SECRET', 'the name of a bucket'],
    ['OSS_BUCKET', 'a', 'the name of a bucket'],
    ['OSS_ENDPOINT', 'http://oss-eu-central-1.aliyuncs.com', 'http:// is only for emulators'],
    ['OSS_ENDPOINT', 'http://localhost.example', 'http:// is only for emulators'],
    ['OSS_ENDPOINT', 'https://SECRET:SECRET@host', 'a host such as'],
    ['OSS_ENDPOINT', 'host/SECRET', 'a host such as'],
    ['OSS_REGION', 'Frankfurt', 'a region such as'],
    ['ALIBABA_ACCESS_KEY', 'SECRET SECRET', 'the key as the console shows it'],
    ['ALIBABA_CLOUD_SECURITY_TOKEN', 'SECRET“', 'the key as the console shows it'],
    ['SPEECH_POLL_SECONDS', '0.01', 'a number of seconds from 0.05 to 60'],
    ['SPEECH_POLL_SECONDS', '61', 'a number of seconds from 0.05 to 60'],
    ['SPEECH_POLL_SECONDS', 'SECRET', 'a number of seconds from 0.05 to 60'],
    ['SPEECH_CONCURRENCY', '0', 'a whole number from 1 to 64'],
    ['SPEECH_CONCURRENCY', '65', 'a whole number from 1 to 64'],
    ['SPEECH_CONCURRENCY', '2.5', 'a whole number from 1 to 64'],
    ['SPEECH_CONCURRENCY', 'SECRET', 'a whole number from 1 to 64'],
    ['SPEECH_MAX_DOWNLOAD_MB', '-1', 'a whole number from 1 to 100000'],
    ['SPEECH_LOG', 'SECRET', 'one of debug, info, warn, error, silent'],
  ])('%s=%s is rejected by name', (name, value, expected) => {
    const flag = name.toLowerCase().replaceAll('_', '-')
    for (const error of [refusal({ [name]: value }), refusal({}, { [flag]: value })]) {
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', retryable: false })
      expect(error.message).toBe(`The value of ${name} (--${flag}) is invalid.`)
      expect(error.hint).toContain(expected)
      expect(describeError(error)).not.toContain('SECRET')
    }
  })

  it('an invalid value in the environment is ignored if a flag overrides it', () => {
    expect(readConfig({ SPEECH_LOG: 'loud' }, { 'speech-log': 'debug' }).logLevel).toBe('debug')
  })
})

describe('the key of the bucket', () => {
  const oss = { OSS_ACCESS_KEY_ID: 'oss-id', OSS_ACCESS_KEY_SECRET: 'oss-secret' }
  const alibaba = { ALIBABA_ACCESS_KEY: 'id', ALIBABA_SECRET_KEY: 'secret' }
  const cloud = { ALIBABA_CLOUD_ACCESS_KEY_ID: 'cloud-id', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'cloud-secret' }
  const token = { ALIBABA_CLOUD_SECURITY_TOKEN: 'token' }
  const keyOf = ({ bucketKey: key }: Config) => [key?.accessKeyId, key?.accessKeySecret, key?.securityToken]

  it.each([
    ['its own name', { ...oss, ...alibaba, ...cloud, ...token }, ['oss-id', 'oss-secret', undefined]],
    ['the usual name', { ...alibaba, ...cloud, ...token }, ['id', 'secret', undefined]],
    ['the name all tools know', { ...cloud, ...token }, ['cloud-id', 'cloud-secret', 'token']],
    ['no name', token, [undefined, undefined, undefined]],
  ])('the bucket’s key is read from %s with its secret and token', (_, environment, expected) => {
    expect(keyOf(readConfig(environment))).toEqual(expected)
  })

  it.each([
    ['no key', {}, 'ALIBABA_ACCESS_KEY', 'ALIBABA_SECRET_KEY'],
    ['half a key', { OSS_ACCESS_KEY_ID: 'hidden', ...alibaba }, 'OSS_ACCESS_KEY_ID', 'OSS_ACCESS_KEY_SECRET'],
    ['half a key', { ALIBABA_SECRET_KEY: 'hidden', ...cloud }, 'ALIBABA_ACCESS_KEY', 'ALIBABA_SECRET_KEY'],
  ])('a bucket with %s is an error that names the variables', (_, environment, ...names) => {
    const error = refusal({ OSS_BUCKET: 'audio', ...environment })
    expect(error.code).toBe('CONFIG_INVALID')
    for (const name of names) expect(error.hint).toContain(name)
    expect(describeError(error)).not.toContain('hidden')
  })

  it('an incomplete key without a bucket is ignored', () => {
    expect(keyOf(readConfig({ ALIBABA_CLOUD_ACCESS_KEY_ID: 'half' }))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})
