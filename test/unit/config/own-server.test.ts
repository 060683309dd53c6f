// The address of the user's own engine: plain http:// only for hosts that are not on the internet.
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/config/config.ts'
import { failure } from '../../support/failure.ts'

const read = (url: string) => readConfig({ ASR_MODEL: 'openai:mine', OPENAI_BASE_URL: url }).openaiUrl

describe('OPENAI_BASE_URL', () => {
  it('is the address of OpenAI itself, without a key, unless the user sets both', () => {
    expect(readConfig({})).toMatchObject({ openaiUrl: 'https://api.openai.com/v1', openaiKey: undefined })
    expect(readConfig({ OPENAI_API_KEY: 'sk-1' }).openaiKey).toBe('sk-1')
  })

  it('may be meant for other programs where no model is on that server', () => {
    const OPENAI_BASE_URL = 'http://llm-gateway.example.com/v1'
    expect(readConfig({ OPENAI_BASE_URL }).openaiUrl).toBe('https://api.openai.com/v1')
    for (const settings of [
      { ASR_MODEL: 'qwen3-asr-flash,openai:mine' },
      { ASR_MODEL: 'mine', SPEECH_MODELS: 'mine form=openai-transcription' },
    ])
      expect(() => readConfig({ OPENAI_BASE_URL, ...settings })).toThrow(/OPENAI_BASE_URL/)
  })

  it.each([
    'http://127.0.0.1:8000/v1',
    'http://localhost:8000/v1',
    'http://[::1]:8000/v1',
    'http://10.1.2.3/v1',
    'http://192.168.1.20:8080/v1',
    'http://172.16.0.9/v1',
    'http://172.31.255.1/v1',
    'http://169.254.3.4/v1',
    'http://[fe80::1]/v1',
    'http://[fd12:3456::1]/v1',
    'http://gpu:8000/v1',
    'http://whisper.local/v1',
    'http://asr.home.lan/v1',
    'http://asr.corp.internal/v1',
    'https://speech.example/v1',
  ])('%s is accepted', url => {
    expect(read(`${url}/`)).toBe(url)
  })

  it.each([
    'http://speech.example/v1',
    'http://api.openai.com/v1',
    'http://8.8.8.8/v1',
    'http://172.32.0.1/v1',
    'http://134744072/v1',
    'http://10.0.0.1.example/v1',
    'http://local.example/v1',
    'http://10.0.0.1@speech.example/v1',
    'http://[2001:db8::1]/v1',
    'ftp://127.0.0.1/v1',
    '127.0.0.1:8000',
  ])('%s is rejected', async url => {
    const error = await failure(Promise.resolve().then(() => read(url)))
    expect(error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('OPENAI_BASE_URL'),
    })
  })
})
