// `install` and `uninstall`: the files of each client on each system, and files that are not as they should be.
import { existsSync, writeFileSync } from 'node:fs'
import { chmod, chown, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parse } from 'smol-toml'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runProgramHere } from '../../support/e2e/program-here.ts'
import { entry, tempFolder } from '../../support/e2e/system.ts'

const key = 'sk-0123456789abcdef'
const platform = process.platform
let folder: Awaited<ReturnType<typeof tempFolder>>
let home: string

beforeEach(async () => {
  folder = await tempFolder()
  home = folder.path
})
afterEach(async () => {
  Object.defineProperty(process, 'platform', { value: platform })
  await folder.remove()
})

function run(args: string[], env: Record<string, string> = { DASHSCOPE_API_KEY: key }) {
  return runProgramHere(args, { env: { HOME: home, USERPROFILE: home, ...env }, cwd: home })
}

/** Writes a file in the home folder, as the client or its user has left it. */
async function given(path: string, text: string): Promise<string> {
  const file = join(home, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  return file
}

const server = { command: process.execPath, args: [entry], env: { DASHSCOPE_API_KEY: key } }
const stdio = { type: 'stdio', ...server }
const roaming = 'AppData/Roaming'
const support = 'Library/Application Support'

const places: [client: string, system: NodeJS.Platform, file: string, content: object][] = [
  ...(
    [
      ['darwin', `${support}/Claude`],
      ['win32', `${roaming}/Claude`],
      ['win32', 'AppData/Local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude'],
      ['linux', '.config/Claude'],
    ] as [NodeJS.Platform, string][]
  ).map(([system, path]): (typeof places)[number] => [
    'claude-desktop',
    system,
    `${path}/claude_desktop_config.json`,
    { mcpServers: { speech: server } },
  ]),
  ['vscode', 'darwin', `${support}/Code/User/mcp.json`, { servers: { speech: stdio } }],
  ['vscode', 'win32', `${roaming}/Code/User/mcp.json`, { servers: { speech: stdio } }],
  ['vscode', 'linux', '.config/Code/User/mcp.json', { servers: { speech: stdio } }],
  ...(['darwin', 'win32', 'linux'] as const).flatMap((system): typeof places => [
    ['claude-code', system, '.claude.json', { mcpServers: { speech: stdio } }],
    ['cursor', system, '.cursor/mcp.json', { mcpServers: { speech: server } }],
    ['windsurf', system, '.codeium/windsurf/mcp_config.json', { mcpServers: { speech: server } }],
    ['codex', system, '.codex/config.toml', { mcp_servers: { speech: server } }],
    ['gemini-cli', system, '.gemini/settings.json', { mcpServers: { speech: server } }],
    [
      'zed',
      system,
      system === 'win32' ? `${roaming}/Zed/settings.json` : '.config/zed/settings.json',
      { context_servers: { speech: { source: 'custom', ...server } } },
    ],
  ]),
]

describe('speech-mcp install', () => {
  it.each(places)(
    'enters the program in the file of %s on %s (%s)',
    async (client, system, path, content) => {
      Object.defineProperty(process, 'platform', { value: system })
      const file = await given(path, '')
      const { code, stdout, stderr } = await run(['install', client])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain(file)
      expect(stdout).not.toContain(key)
      const text = await readFile(file, 'utf8')
      expect(client === 'codex' ? parse(text) : JSON.parse(text)).toEqual(content)
      expect((await stat(file)).mode & 0o077).toBe(0)
    },
  )

  it('creates the file of a client that was never configured', async () => {
    await mkdir(join(home, '.cursor'))
    expect((await run(['install', 'cursor'])).code).toBe(0)
    const file = join(home, '.cursor/mcp.json')
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ mcpServers: { speech: server } })
    expect(await readdir(dirname(file))).toEqual(['mcp.json'])
  })

  it('keeps other servers, comments and format, and a copy of the file before', async () => {
    const text =
      '\uFEFF// mine\r\n{\r\n\t"servers": {\r\n\t\t/* first */\r\n\t\t"other": {"command":"x"}, // last\r\n\t},\r\n\t"inputs": [1,2,],\r\n}\r\n'
    const file = await given('.config/Code/User/mcp.json', text)
    Object.defineProperty(process, 'platform', { value: 'linux' })
    await run(['install', 'vscode'])
    const changed = await readFile(file, 'utf8')
    for (const kept of text.trimEnd().split('\r\n')) expect(changed).toContain(`${kept}\r\n`)
    expect(changed).toContain(`\r\n\t\t"speech": {\r\n\t\t\t"type": "stdio",\r\n`)
    expect(changed.replaceAll('\r\n', '')).not.toContain('\n')
    expect(await readFile(`${file}.before-speech-mcp`, 'utf8')).toBe(text)
    await run(['uninstall', 'vscode'])
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  it('keeps every other byte of a TOML file, and what was added to its own tables', async () => {
    const before = 'model = "o5" # mine\nnotify = [\n  "a",\n]\n\n[mcp_servers.other]\ncommand = "x"\n'
    const after = '\n# projects\n[projects."/a.b"]\ntrust = """\n[mcp_servers.speech]\n"""\n'
    const file = await given('.codex/config.toml', before + after)
    await run(['install', 'codex'])
    const installed = await readFile(file, 'utf8')
    expect(installed.startsWith(before + after)).toBe(true)
    const own = installed.slice((before + after).length)
    await writeFile(
      file,
      `${before}${own.replace('[mcp_servers.speech]\n', '$&tool_timeout_sec = 90\n')}${after}`,
    )
    await run(['install', 'codex'], { DASHSCOPE_API_KEY: 'sk-another0123456' })
    const again = await readFile(file, 'utf8')
    expect(again.startsWith(before) && again.endsWith(after)).toBe(true)
    expect(parse(again)).toMatchObject({
      mcp_servers: {
        other: { command: 'x' },
        speech: { ...server, tool_timeout_sec: 90, env: { DASHSCOPE_API_KEY: 'sk-another0123456' } },
      },
    })
    await run(['uninstall', 'codex'])
    expect(parse(await readFile(file, 'utf8'))).toEqual(parse(before + after))
  })

  it('changes nothing the second time, and keeps key, settings and arguments that are there', async () => {
    const file = await given('.cursor/mcp.json', '{}')
    await run(['install', 'cursor', '--speech-wait-seconds', '30'])
    const text = (await readFile(file, 'utf8')).replace(
      JSON.stringify(entry),
      `${JSON.stringify(entry)}, "--speech-log", "debug" /* why */`,
    )
    await writeFile(file, text)
    const { code, stdout } = await run(['install', 'cursor'], {})
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('has it already') })
    expect(await readFile(file, 'utf8')).toBe(text)
    expect(JSON.parse(text.replace(' /* why */', ''))).toEqual({
      mcpServers: {
        speech: {
          ...server,
          args: [entry, '--speech-log', 'debug'],
          env: { SPEECH_WAIT_SECONDS: '30', DASHSCOPE_API_KEY: key },
        },
      },
    })
  })

  it.each(['cursor', 'codex'])(
    '--dry-run shows the change for %s without a key and changes nothing',
    async client => {
      const file = await given(client === 'codex' ? '.codex/config.toml' : '.cursor/mcp.json', '')
      expect((await run(['install', client, '--dry-run'])).stdout).toMatch(/^\+ .*speech/m)
      expect(await readFile(file, 'utf8')).toBe('')
      await run(['install', client])
      const text = await readFile(file, 'utf8')
      const shown = await Promise.all([
        await run(['install', client, '--dry-run', '--speech-log', 'debug'], {
          DASHSCOPE_API_KEY: 'sk-other012',
        }),
        await run(['uninstall', client, '--dry-run']),
      ])
      expect(shown[0]!.stdout).toMatch(/^\+ .*SPEECH_LOG.*debug/m)
      expect(shown[1]!.stdout).toMatch(/^- .*DASHSCOPE_API_KEY.*…/m)
      for (const { stdout, stderr } of shown) expect(stdout + stderr).not.toMatch(/sk-/)
      expect(await readFile(file, 'utf8')).toBe(text)
      expect(await readdir(dirname(file))).toHaveLength(1 + Number(existsSync(`${file}.before-speech-mcp`)))
    },
  )

  it('two installations at once lose nothing', async () => {
    const { changeConfigFile } = await import('../../../src/cli/install/config-file.ts')
    const file = await given('.cursor/mcp.json', '0')
    const add = () => changeConfigFile(file, text => String(Number(text) + 1))
    await Promise.all([add(), add(), add(), add()])
    expect(await readFile(file, 'utf8')).toBe('4')
    let isFirst = true
    await changeConfigFile(file, text => {
      // A client that saves its file at this very moment.
      if (isFirst) writeFileSync(file, '40')
      isFirst = false
      return String(Number(text) + 1)
    })
    expect(await readFile(file, 'utf8')).toBe('41')
    expect((await readdir(dirname(file))).toSorted()).toEqual(['mcp.json', 'mcp.json.before-speech-mcp'])
  })

  it('a link stays a link', async () => {
    const file = await given('dotfiles/mcp.json', '{"mcpServers":{}}')
    await mkdir(join(home, '.cursor'))
    await symlink(file, join(home, '.cursor/mcp.json'))
    await run(['install', 'cursor'])
    expect((await lstat(join(home, '.cursor/mcp.json'))).isSymbolicLink()).toBe(true)
    expect(JSON.parse(await readFile(file, 'utf8')).mcpServers.speech).toEqual(server)
  })

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

  it.skipIf(platform === 'win32')('leaves a read-only file, and a link to nothing, as they are', async () => {
    const file = await given('.cursor/mcp.json', '{}')
    await chmod(file, 0o444)
    expect((await run(['install', 'cursor'])).stderr).toMatch(/^FILE_NOT_WRITABLE: .* is read-only\./)
    expect(await readFile(file, 'utf8')).toBe('{}')
    await mkdir(join(home, '.gemini'))
    await symlink('/nowhere/settings.json', join(home, '.gemini/settings.json'))
    expect((await run(['install', 'gemini-cli'])).stderr).toMatch(/^FILE_NOT_FOUND: .* is a link to a file/)
  })

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
    const { code, stdout, stderr } = await runProgramHere(['install', 'cursor'], {
      env: { HOME: home, USERPROFILE: home },
      cwd: home,
      input,
      isTerminal: true,
    })
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

describe('speech-mcp uninstall', () => {
  it('removes the server, keeps the others, and says so where there is none', async () => {
    const text = '{\n  "mcpServers": {\n    "other": { "command": "x" }\n  }\n}\n'
    const file = await given('.cursor/mcp.json', text)
    expect((await run(['uninstall', 'cursor'])).stdout).toMatch(/nothing to remove/)
    await run(['install', 'cursor'])
    const { code, stdout } = await run(['uninstall', 'cursor'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(file) })
    expect(await readFile(file, 'utf8')).toBe(text)
    expect((await run(['uninstall', 'zed'])).stdout).toMatch(/nothing to remove/)
  })
})
