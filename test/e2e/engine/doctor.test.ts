// `doctor` with engines of one's own: it sends real speech and says what comes back.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type OwnServer, startOwnServer } from '../../../emulators/dashscope/own-server.ts'
import { type EngineName, type OpenAiEmulator, startOpenAi } from '../../../emulators/openai/openai.ts'
import { testFfmpeg } from '../../support/audio/ffmpeg.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
let emulator: OpenAiEmulator | undefined
let server: OwnServer | undefined
beforeAll(async () => {
  terminal = await openTerminal()
})
afterEach(() => Promise.all([emulator?.close(), server?.close()]))
afterAll(() => terminal.close())

async function doctor(env: Record<string, string>) {
  const { code, stdout } = await terminal.run(['doctor'], {
    env: { DASHSCOPE_API_KEY: '', DASHSCOPE_BASE_URL: '', ...env },
  })
  return {
    code,
    stdout,
    line: (name: string) => stdout.split('\n').find(line => line.includes(` ${name}: `)),
  }
}

async function withEngine(engine: EngineName, models: string, env: Record<string, string> = {}) {
  emulator = await startOpenAi({ ffmpeg: await testFfmpeg(), engine })
  return doctor({ ASR_MODEL: models, OPENAI_BASE_URL: emulator.url, ...env })
}

describe('doctor', () => {
  it.each([
    ['speaches', 'whisper', 'times of words'],
    ['vllm', 'Qwen/Qwen3-ASR-0.6B', 'no times'],
  ] as const)('says what %s hears and how fast', async (engine, model, times) => {
    const { code, line, stdout } = await withEngine(engine, `openai:${model}`)
    expect(code, stdout).toBe(0)
    expect(stdout).toMatch(/^openai:\S+ +chunks +alive +\$0\.000$/m)
    expect(stdout).toMatch(/^fun-asr-mtl +speakers +not asked \(no key\) /m)
    const name = `your own engine openai:${model}`
    expect(line(name)).toMatch(/^ok {4}.*: 127\.0\.0\.1:\d+ hears “And so, my fellow/i)
    expect(line(name)).toMatch(new RegExp(`with ${times}, [\\d.]+ s for 4 s of speech$`))
    expect(line('key and region')).toMatch(/^-- .*; for the text see your own engine$/)
  })

  it('takes the price of an hour from the first model of the list, an engine or not', async () => {
    const { stdout } = await withEngine('vllm', 'qwen3-asr-flash,openai:Qwen/Qwen3-ASR-0.6B')
    expect(stdout).toContain('An hour of speech costs $0.126, ')
  })

  it('names a model that the engine does not serve', async () => {
    const { code, line } = await withEngine('vllm', 'openai:other')
    expect(code).toBe(1)
    expect(line('your own engine openai:other')).toMatch(/^FAIL .*MODEL_NOT_FOUND/)
    expect(line('models')).toMatch(/^FAIL .*MODEL_NOT_FOUND: No model of ASR_MODEL .* Correct the name /)
  })

  it('says of each engine whether it answers, and takes no price from one that does not', async () => {
    const { code, line, stdout } = await withEngine('vllm', 'openai:other,openai:Qwen/Qwen3-ASR-0.6B')
    expect(code).toBe(1)
    expect(line('your own engine openai:other')).toMatch(/^FAIL /)
    expect(line('your own engine openai:Qwen/Qwen3-ASR-0.6B')).toMatch(/^ok /)
    expect(line('models')).toMatch(/^ok /)
    expect(stdout).toMatch(/^openai:other +chunks +gone \(see your own engine\) /m)
    expect(stdout).toMatch(/^openai:Qwen\S+ +chunks +alive +\$0\.000$/m)

    const down = await doctor({ ASR_MODEL: 'openai:whisper', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' })
    expect(down.stdout).toMatch(
      /^openai:whisper +chunks +refused PROVIDER_UNREACHABLE \(see your own engine\) /m,
    )
    expect(down.stdout).toContain('An hour of speech costs unknown, ')
  })

  it('blames ffmpeg, and not the engine, where there is no ffmpeg to make speech with', async () => {
    const { stdout, line } = await withEngine('vllm', 'openai:Qwen/Qwen3-ASR-0.6B', {
      FFMPEG_PATH: '/nowhere/ffmpeg',
    })
    expect(line('ffmpeg')).toMatch(/^FAIL /)
    expect(stdout).toMatch(/^openai:Qwen\S+ +chunks +not asked \(see ffmpeg\) /m)
  })

  it('finds a DashScope server of one’s own', async () => {
    server = await startOwnServer({ ffmpeg: await testFfmpeg() })
    const { code, line, stdout } = await doctor({ DASHSCOPE_BASE_URL: server.url })
    expect(code, stdout).toBe(0)
    expect(stdout).toMatch(/^qwen3-asr-flash +chunks +alive +\$0\.000$/m)
    expect(stdout).toMatch(/^fun-asr-mtl +speakers +not asked \(see your own engine\) .*\$0\.000$/m)
    expect(line('key and region')).toMatch(
      /^ok {4}key and region: your own server at 127\.0\.0\.1:\d+ answers$/,
    )
    expect(line('your own engine qwen3-asr-flash')).toMatch(
      / hears “And so, my fellow.* with times of segments/,
    )
    expect(line('uploads')).toMatch(/^ok .*served by this process/)
  })
})
