// `install` writes settings so that they mean the same where the client starts the program.
import { readFile } from 'node:fs/promises'
import { delimiter, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { homeOfEachTest, key } from '../../support/e2e/client-files.ts'

const home = homeOfEachTest()
const { run, given } = home

async function installed(args: string[], env: Record<string, string>, before = '{}') {
  const file = await given('.cursor/mcp.json', before)
  const result = await run(['install', 'cursor', ...args], env)
  const servers = JSON.parse(await readFile(file, 'utf8')).mcpServers
  return { ...result, env: servers?.speech.env as Record<string, string> | undefined }
}

const entryWith = (env: Record<string, string>) =>
  JSON.stringify({ mcpServers: { speech: { command: 'speech-mcp', env } } })

describe('speech-mcp install', () => {
  it('writes paths in full', async () => {
    const folders = ['rec', '~/notes', resolve('/srv/rec')].join(delimiter)
    const flags = ['--speech-allowed-dirs', folders, '--ffmpeg-path', './ffmpeg', '--speech-data-dir', '~/d']
    const { env } = await installed(flags, { DASHSCOPE_API_KEY: key })
    expect(env).toEqual({
      DASHSCOPE_API_KEY: key,
      SPEECH_ALLOWED_DIRS: [home.path('rec'), home.path('notes'), resolve('/srv/rec')].join(delimiter),
      FFMPEG_PATH: home.path('ffmpeg'),
      SPEECH_DATA_DIR: home.path('d'),
    })
  })

  it.each([
    [{ ASR_MODEL: 'openai:whisper-1', OPENAI_BASE_URL: 'http://127.0.0.1:8000/v1', OPENAI_API_KEY: 'own' }],
    [{ DASHSCOPE_BASE_URL: 'http://127.0.0.1:8000/api/v1', SPEECH_FILE_HOST: '127.0.0.1' }],
    [{ DASHSCOPE_API_KEY: key, DASHSCOPE_BASE_URL: 'https://workspace.example/api/v1' }],
  ])('takes from the environment where audio goes: %j', async variables => {
    const { code, env, stdout } = await installed([], { ...variables, GEMINI_API_KEY: 'AIzaX' })
    expect({ code, env }).toEqual({ code: 0, env: variables })
    expect(stdout).toContain(`From the environment: ${Object.keys(variables).join(', ')}.`)
    expect(stdout).not.toContain(key)
  })

  it('--dry-run shows no key of what is there already', async () => {
    const args = [
      '-e',
      'GEMINI_API_KEY=AIzaX',
      '--token=AIzaY',
      '--env=A_KEY=AIza1',
      'https://ada:AIzaZ@proxy.example/?a@b',
    ]
    const url = 'http://ada:AIza0@127.0.0.1:8000/api/v1'
    const entry = { command: 'speech-mcp', args, env: { DASHSCOPE_BASE_URL: url } }
    const before = JSON.stringify({ mcpServers: { speech: entry } })
    const { stdout } = await installed(
      ['--dry-run'],
      { DASHSCOPE_API_KEY: key, OPENAI_BASE_URL: url },
      before,
    )
    expect(stdout).not.toMatch(/AIza|sk-/)
    for (const shown of [
      '"GEMINI_API_KEY=…"',
      '"--token=…"',
      '"https://…@proxy.example/?a@b"',
      '"http://…@127',
    ])
      expect(stdout).toContain(shown)
  })

  it('takes nothing that no model needs, or that a flag says, or that belongs to another key', async () => {
    const other = { OPENAI_BASE_URL: 'https://other.example/v1', OPENAI_API_KEY: 'sk-other' }
    expect((await installed([], { DASHSCOPE_API_KEY: key, ...other })).env).toEqual({
      DASHSCOPE_API_KEY: key,
    })
    const url = { DASHSCOPE_BASE_URL: 'https://one.example/api/v1' }
    const flags = ['--dashscope-base-url', 'https://two.example/api/v1']
    const flagged = await installed(flags, { DASHSCOPE_API_KEY: key, ...url })
    expect(flagged.env).toMatchObject({ DASHSCOPE_BASE_URL: 'https://two.example/api/v1' })
    expect(flagged.stdout).toContain('From the environment: DASHSCOPE_API_KEY.')
    expect((await installed([], url, entryWith({ DASHSCOPE_API_KEY: key }))).env).toEqual({
      DASHSCOPE_API_KEY: key,
    })
  })

  it('asks for no key again where the entry needs none', async () => {
    const own = { ASR_MODEL: 'openai:whisper-1', OPENAI_BASE_URL: 'http://127.0.0.1:8000/v1' }
    expect(await installed([], {}, entryWith(own))).toMatchObject({ code: 0, env: own })
    const other = { ...own, OPENAI_BASE_URL: 'http://127.0.0.1:9000/v1', OPENAI_API_KEY: 'sk-other' }
    expect((await installed([], other, entryWith(own))).env).toEqual(own)
  })
})
