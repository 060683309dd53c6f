// The command line: help, usage errors, doctor, the demo, and the location of the program.
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settings } from '../../../src/config/settings.ts'
import { entry, fixture, root } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'
import { reply } from '../../support/servers/task-server.ts'
import { geminiError, startTextServer, type TextServer } from '../../support/servers/text-server.ts'

let terminal: Terminal

beforeAll(async () => {
  terminal = await openTerminal()
})
afterAll(() => terminal.close())

const note = fixture('voice-note.ogg')
const pathOf = (name: string) => join(terminal.work, name)

describe('speech-mcp', () => {
  it('--help lists all commands and settings', async () => {
    const { code, stdout, stderr } = await terminal.start(['--help']).result
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const command of [
      'transcribe INPUT',
      'diarize INPUT',
      'format INPUT',
      'list',
      'export',
      'doctor',
      'demo',
    ])
      expect(stdout).toContain(`  speech-mcp ${command}`)
    for (const { env, flag } of Object.values(settings)) expect(stdout).toContain(`  ${env} (--${flag})`)
    expect((await terminal.run(['help'])).stdout).toBe(stdout)
  })

  it('each command has a help of its own, with all its flags and an example that it understands', async () => {
    const general = (await terminal.run(['--help'])).stdout
    const names = new Set([...general.matchAll(/^ {2}speech-mcp ([a-z]+)/gm)].map(([, name]) => name!))
    expect(names.size).toBeGreaterThan(10)
    for (const name of names) {
      const { code, stdout } = await terminal.run([name, '--help'])
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringContaining(`Usage: speech-mcp ${name}`),
      })
      expect(stdout, name).toMatch(new RegExp(`\n\nExamples:\n {2}speech-mcp ${name}\\b`))
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
      const flags = new Set([...stdout.matchAll(/^ {2}(?: {4}|-\w, )(--[a-z-]+)/gm)].map(([, flag]) => flag!))
      const shown = stdout.slice(stdout.indexOf('\nExamples:'), stdout.indexOf('\nEvery setting'))
      for (const [flag] of shown.matchAll(/(?<= )--[a-z-]+/g))
        expect([...flags, ...Object.values(settings).map(setting => `--${setting.flag}`)]).toContain(flag)
      expect((await terminal.run(['help', name])).stdout).toBe(stdout)
    }
    expect((await terminal.run(['transcribe', '-h'])).stdout).toMatch(
      /-f, --format … {2,}txt, md, .*\n.*default: /,
    )
  })

  it.each(['--version', '-v', 'version'])('`speech-mcp %s` prints the version', async word => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(await terminal.start([word]).result).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it.each([
    ['an unknown command', ['transscribe', 'a.mp3'], 'BAD_INPUT'],
    ['an unknown flag', ['transcribe', note, '--formt', 'srt'], 'BAD_INPUT'],
    ['an unknown flag of the server', ['--prot', '80'], 'BAD_INPUT'],
    ['a flag without a value', ['transcribe', note, '-o'], 'BAD_INPUT'],
    ['a flag with another for a value', ['transcribe', note, '-o', '-f'], 'BAD_INPUT'],
    ['an unknown format', ['transcribe', note, '-f', 'pdf'], 'BAD_INPUT'],
    ['one format for two files', ['transcribe', note, '-f', 'srt', '-o', 'a', '-o', 'b'], 'BAD_INPUT'],
    ['a second file without a format', ['transcribe', note, '-o', 'a.srt', '-o', 'b.pdf'], 'BAD_INPUT'],
    ['unknown timestamps', ['transcribe', note, '--timestamps', 'second'], 'BAD_INPUT'],
    ['one speaker', ['diarize', note, '--speakers', '1'], 'BAD_INPUT'],
    ['half a speaker', ['diarize', note, '--speakers', '2.5'], 'BAD_INPUT'],
    ['no number of speakers', ['diarize', note, '--speakers', 'many'], 'BAD_INPUT'],
    ['no recording', ['transcribe'], 'BAD_INPUT'],
    ['no recording to diarize', ['diarize'], 'BAD_INPUT'],
    ['a title for two recordings', ['transcribe', note, 'b.mp3', '-t', 'Talk'], 'BAD_INPUT'],
    ['two ids', ['export', 'tr_1', 'tr_2'], 'BAD_INPUT'],
    ['a setting that cannot be', ['doctor', '--speech-concurrency', 'many'], 'CONFIG_INVALID'],
  ])('a usage error (%s) is explained and exits with 2', async (_, args, error) => {
    const { code, stdout, stderr } = await terminal.run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^${error}: [A-Z][^\\n]+\\. [A-Z][^\\n]+\\.\\n$`))
    expect(terminal.dashscope.requests).toEqual([])
  })
})

describe('speech-mcp doctor', () => {
  it('doctor reports ok for every check', async () => {
    const { code, stdout } = await terminal.start(['doctor']).result
    expect(stdout.match(/^(ok {4}|FAIL {2})[\w ]+/gm)).toEqual(
      [
        ...['ffmpeg', 'key and region', 'uploads', 'formatting', 'data folder', 'costs', 'allowed folders'],
        'settings',
        'models',
      ].map(name => `ok    ${name}`),
    )
    expect(code).toBe(0)
    expect(stdout).not.toContain(terminal.dashscope.apiKey)
  })

  it.each([
    ['a wrong key', 'key and region: KEY_REFUSED', () => ({ DASHSCOPE_API_KEY: 'sk-wrong' })],
    [
      'no key',
      'key and region: KEY_MISSING',
      () => ({ DASHSCOPE_API_KEY: '', DASHSCOPE_BASE_URL: 'https://dashscope.invalid/api/v1' }),
    ],
    [
      'a wrong path',
      'key and region: WRONG_BASE_URL',
      () => ({ DASHSCOPE_BASE_URL: `${terminal.dashscope.url}/compatible-mode` }),
    ],
    [
      'a host that does not answer',
      'key and region: PROVIDER_UNREACHABLE',
      () => ({ DASHSCOPE_BASE_URL: 'http://127.0.0.1:1/api/v1' }),
    ],
    ['no ffmpeg', 'ffmpeg: FFMPEG_MISSING', () => ({ FFMPEG_PATH: '/nowhere/ffmpeg' })],
    ['an ffmpeg that is none', 'ffmpeg: FFMPEG_FAILED', () => ({ FFMPEG_PATH: process.execPath })],
    ['a data folder in a file', 'data folder: STORE_FAILED', () => ({ SPEECH_DATA_DIR: `${note}/data` })],
    [
      'an allowed folder that is missing',
      'allowed folders: CONFIG_INVALID',
      () => ({ SPEECH_ALLOWED_DIRS: '/nowhere' }),
    ],
    ['an unfilled template', 'settings: CONFIG_INVALID', () => ({ ASR_MODEL: `\${user_config.model}` })],
  ])('doctor explains %s and exits with 1', async (_, failure, wrong) => {
    const { code, stdout } = await terminal.run(['doctor'], { env: wrong() })
    expect(code).toBe(1)
    const failures = stdout.split('\n').filter(line => line.startsWith('FAIL'))
    expect(failures).toEqual([expect.stringMatching(/^FAIL {2}[^\n]+\. [A-Z][^\n]+\.$/)])
    expect(failures[0]).toContain(failure)
  })
})

describe('the formatting check of speech-mcp doctor', () => {
  let server: TextServer
  beforeAll(async () => {
    server = await startTextServer()
  })
  afterAll(() => server.close())

  async function formatting(env: Record<string, string>): Promise<{ code: number | null; line: string }> {
    const { code, stdout } = await terminal.run(['doctor'], { env })
    return { code, line: /^.* formatting: .*$/m.exec(stdout)?.[0] ?? '' }
  }
  const withKey = () => ({ GEMINI_API_KEY: 'AIza-key', GEMINI_BASE_URL: server.geminiUrl })

  it('doctor lists usable models, models without a key, and retired models', async () => {
    const { code, line } = await formatting({})
    expect(code).toBe(0)
    expect(line).toMatch(/^ok {4}formatting: tries qwen-turbo, qwen-flash in this order; /)
    expect(line).toContain('; no key for gemini-2.5-flash, gemini-3.5-flash-lite; ')
    expect(line).toContain(
      '; qwen-turbo retires on 2026-10-10, in favour of qwen-flash; once gone, it costs one failed request a day',
    )
  })

  it('doctor checks the Gemini key with a free request that has the key in a header', async () => {
    server.respondWith(reply(200, { models: [{ name: 'models/gemini-2.5-flash' }], nextPageToken: 'x' }))
    const { code, line } = await formatting({ ...withKey(), FORMAT_MODELS: 'gemini-2.5-flash' })
    expect(code).toBe(0)
    expect(line).toMatch(
      /^ok {4}formatting: tries gemini-2\.5-flash in this order; the Gemini key is accepted by 127\.0\.0\.1/,
    )
    expect(line).toContain('; gemini-2.5-flash retires on 2026-12-01, in favour of gemini-3.5-flash-lite')
    expect(server.requests.find(({ method }) => method === 'GET')).toMatchObject({
      method: 'GET',
      path: '/v1beta/models?pageSize=1',
      headers: { 'x-goog-api-key': 'AIza-key' },
    })
  })

  it.each([
    [
      'a key that is refused',
      'KEY_REFUSED',
      geminiError(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'),
    ],
    ['a country that is not served', 'ACCESS_DENIED', geminiError(400, 'FAILED_PRECONDITION')],
    ['an address where there is none', 'WRONG_BASE_URL', reply(404, 'no such page')],
    ['something else at the address', 'WRONG_BASE_URL', reply(200, { ok: true })],
    ['a provider that fails', 'PROVIDER_FAILED', geminiError(503, 'UNAVAILABLE')],
  ])('doctor explains %s of Gemini', async (_, failure, answer) => {
    server.respondWith(answer)
    const { code, line } = await formatting(withKey())
    expect(code).toBe(1)
    expect(line).toMatch(new RegExp(`^FAIL {2}formatting: ${failure}: [A-Z].+\\. [A-Z].+\\.$`))
    expect(line).not.toContain('AIza-key')
  })

  it('doctor does not check a Gemini key that no model needs', async () => {
    const before = server.requests.length
    const { line } = await formatting({ ...withKey(), FORMAT_MODELS: 'qwen-flash' })
    expect({ line, seen: server.requests.length }).toEqual({
      line: 'ok    formatting: tries qwen-flash in this order',
      seen: before,
    })
  })

  it('doctor does not list models as usable if their key is refused', async () => {
    const { code, line } = await formatting({ DASHSCOPE_API_KEY: 'sk-wrong', FORMAT_MODELS: 'qwen-flash' })
    expect({ code, line }).toEqual({
      code: 1,
      line: '--    formatting: no usable model, so texts stay unformatted; for qwen-flash see key and region',
    })
  })

  it('doctor reports missing formatting models without failing', async () => {
    const { line } = await formatting({ DASHSCOPE_API_KEY: '', FORMAT_MODELS: 'qwen-flash' })
    expect(line).toBe('--    formatting: not configured, so texts stay unformatted; no key for qwen-flash')
  })
})

describe('the program', () => {
  it('the program starts through a symbolic link', async () => {
    await symlink(entry, pathOf('speech-mcp'))
    const { code, stderr } = await terminal.start(['transcribe', 'silence.wav'], {
      main: pathOf('speech-mcp'),
    }).result
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('Saved as tr_') })
  })

  it('the demo runs without a key, also in a folder with Unicode characters in its name', async () => {
    const folder = pathOf('Mes outils à moi #1 100%')
    await mkdir(folder)
    for (const name of ['node_modules', 'fixtures']) await symlink(join(root, name), join(folder, name))
    for (const name of ['dist', 'package.json'])
      await cp(join(root, name), join(folder, name), { recursive: true })
    const main = join(folder, 'dist', 'main.js')
    const { code, stdout, stderr } = await terminal.start(['demo'], { main, env: { DASHSCOPE_API_KEY: '' } })
      .result
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('Hi Greta! Please collect the blue parcel')
    expect(stdout).toContain('Welcome back to The Long Wire')
    expect(stdout).toContain('00:00:00,')
    expect(stdout).toMatch(/\[0:00\] S1: Right, it's ten past nine/)
    expect(stdout).toMatch(
      /\n← by qwen-flash; \d+ % of words changed in appearance; 0 of \d+ paragraphs kept unchanged/,
    )
    expect(stdout).toContain('qwen-turbo, the first of FORMAT_MODELS, ended in October 2026')
    expect(stdout).toMatch(/; removed: um 1, uh 1;.*\n\nSo the parcel for greta is blue\./)
    expect(stdout).toMatch(/\[0:00\] Hannah: Right, it's ten past nine.*\n\[0:10\] Viktor: A quick note/)
  })
})
