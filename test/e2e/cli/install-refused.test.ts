// `install` where it must leave a file as it is, and how it comes by the key.
import { chmod, chown, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { homeOfEachTest, key, server } from '../../support/e2e/client-files.ts'

const home = homeOfEachTest()
const { run, given } = home

describe('speech-mcp install', () => {
  it.each([
    [
      'a program that is no client',
      ['install', 'emacs'],
      'BAD_INPUT: Unknown client. Use one of claude-desktop,',
    ],
    ['no client', ['install'], 'BAD_INPUT: Name one client. Use one of'],
    ['two clients', ['install', 'cursor', 'zed'], 'BAD_INPUT: Name one client.'],
    ['a client that is not there', ['install', 'windsurf'], 'FILE_NOT_FOUND: Windsurf is not installed'],
    ['a name with a blank', ['install', 'cursor', '--name', 'a b'], 'BAD_INPUT: The name of the server'],
    [
      'a key as a flag',
      ['install', 'cursor', '--gemini-api-key', 'AIzaX'],
      'BAD_INPUT: --gemini-api-key is not',
    ],
    [
      'another server of the name',
      ['install', 'cursor', '--name', 'taken'],
      'BAD_INPUT: Cursor has another server',
    ],
    [
      'another server to remove',
      ['uninstall', 'cursor', '--name', 'taken'],
      'BAD_INPUT: The server taken of Cursor',
    ],
  ])('refuses %s', async (_, args, message) => {
    const text = '{ "mcpServers": { "taken": { "command": "npx", "args": ["-y", "taken"] } } }'
    const file = await given('.cursor/mcp.json', text)
    const { code, stdout, stderr } = await run(args)
    expect({ code, stdout }).toEqual({ code: message.startsWith('BAD_INPUT') ? 2 : 1, stdout: '' })
    expect(stderr).toContain(message)
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  it.each([
    ['no JSON', '{ "mcpServers": ', /It is no JSON from line 1, column 17 on/],
    ['a list', '[]', /no object/],
    ['no object of servers', '{ "mcpServers": [] }', /mcpServers is no JSON object/],
    ['its servers twice', '{ "mcpServers": {}, "mcpServers": {} }', /cannot change/],
    ['bytes of another encoding', '{ "a": "\u0000\xff" }', /not UTF-8/],
  ])('leaves a file with %s as it is', async (_, text, message) => {
    const file = await given('.cursor/mcp.json', '')
    await writeFile(file, Buffer.from(text, 'latin1'))
    const { code, stderr } = await run(['install', 'cursor'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) })
    expect(await readFile(file, 'latin1')).toBe(text)
    expect(await readdir(dirname(file))).toEqual(['mcp.json'])
  })

  it('leaves a TOML file with its servers in one line as it is', async () => {
    const text = 'mcp_servers = { other = { command = "x" } }\n'
    const file = await given('.codex/config.toml', text)
    expect((await run(['install', 'codex'])).stderr).toMatch(/cannot change/)
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  it.skipIf(process.platform === 'win32')(
    'leaves a read-only file, and a link to nothing, as they are',
    async () => {
      const file = await given('.cursor/mcp.json', '{}')
      await chmod(file, 0o444)
      expect((await run(['install', 'cursor'])).stderr).toMatch(/^FILE_NOT_WRITABLE: .* is read-only\./)
      expect(await readFile(file, 'utf8')).toBe('{}')
      await mkdir(home.path('.gemini'))
      await symlink('/nowhere/settings.json', home.path('.gemini/settings.json'))
      expect((await run(['install', 'gemini-cli'])).stderr).toMatch(/^FILE_NOT_FOUND: .* is a link to a file/)
    },
  )

  it.runIf(process.getuid?.() === 0)('leaves a file of another user as it is', async () => {
    const file = await given('.cursor/mcp.json', '{}')
    await chown(file, 12_345, 12_345)
    expect((await run(['install', 'cursor'])).stderr).toMatch(
      /^FILE_NOT_WRITABLE: .* belongs to another user\./,
    )
    expect(await readFile(file, 'utf8')).toBe('{}')
  })

  it('needs a key from the environment where no terminal can ask for it', async () => {
    const file = await given('.cursor/mcp.json', '{}')
    const { code, stderr } = await run(['install', 'cursor'], {})
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^KEY_MISSING: .*terminal/) })
    expect(await readFile(file, 'utf8')).toBe('{}')
  })

  it.each([
    ['a key', `${key}\r`, 0, ''],
    ['no key', '\r', 1, 'KEY_MISSING: There is no key.'],
    ['what is no key', 'my key\r', 1, 'KEY_MISSING: That is no key.'],
    ['Ctrl-C', '\u0003', 1, 'KEY_MISSING: There is no key.'],
  ])('asks for the key at a terminal without showing it: %s', async (_, input, exitCode, message) => {
    const file = await given('.cursor/mcp.json', '{}')
    const { code, stdout, stderr } = await run(['install', 'cursor'], {}, { input, isTerminal: true })
    expect({ code, stderr }).toEqual({
      code: exitCode,
      stderr: expect.stringContaining(`DASHSCOPE_API_KEY (not shown): \n${message}`),
    })
    expect(stdout + stderr).not.toContain(input.trim() || 'sk-')
    const content = JSON.parse(await readFile(file, 'utf8'))
    expect(content).toEqual(exitCode === 0 ? { mcpServers: { speech: server } } : {})
  })

  it('asks for no key where an engine of one’s own needs none', async () => {
    const file = await given('.cursor/mcp.json', '{}')
    const flags = ['--asr-model', 'openai:whisper-1', '--openai-base-url', 'http://127.0.0.1:8000/v1']
    expect((await run(['install', 'cursor', ...flags], {})).code).toBe(0)
    expect(JSON.parse(await readFile(file, 'utf8')).mcpServers.speech.env).toEqual({
      ASR_MODEL: 'openai:whisper-1',
      OPENAI_BASE_URL: 'http://127.0.0.1:8000/v1',
    })
  })
})
