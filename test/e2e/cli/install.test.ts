// `install` and `uninstall`: the files of each client on each system, and all else that stays in them.
import { existsSync, writeFileSync } from 'node:fs'
import { lstat, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parse } from 'smol-toml'
import { afterEach, describe, expect, it } from 'vitest'
import { changeConfigFile } from '../../../src/cli/install/config-file.ts'
import { homeOfEachTest, key, server } from '../../support/e2e/client-files.ts'
import { entry } from '../../support/e2e/system.ts'

const platform = process.platform
const home = homeOfEachTest()
const { run, given } = home

afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform })
})

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
      // Windows has no such modes.
      expect((await stat(file)).mode & (platform === 'win32' ? 0 : 0o077)).toBe(0)
    },
  )

  it('creates the file of a client that was never configured', async () => {
    await mkdir(home.path('.cursor'))
    expect((await run(['install', 'cursor'])).code).toBe(0)
    const file = home.path('.cursor/mcp.json')
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
    await run(['install', 'vscode', '--speech-log', 'debug'])
    const { stderr } = await run(['uninstall', 'vscode'])
    expect(await readFile(file, 'utf8')).toBe(text)
    expect(stderr).toContain(`${file}.before-speech-mcp is the file as it was first`)
    expect(await readFile(`${file}.before-speech-mcp`, 'utf8')).toBe(text)
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

  it('takes the place of an installation that died, but removes no lock of another', async () => {
    const file = await given('.cursor/mcp.json', '0')
    const lock = await given('.cursor/mcp.json.speech-mcp-lock', 'dead')
    await utimes(lock, 0, 0)
    const add = () => changeConfigFile(file, text => String(Number(text) + 1))
    const adding = Array.from({ length: 12 }, add)
    await Promise.all(adding)
    expect(await readFile(file, 'utf8')).toBe('12')
    expect(existsSync(lock)).toBe(false)
    await changeConfigFile(file, text => {
      writeFileSync(lock, 'another')
      return `${text}5`
    })
    expect(await readFile(lock, 'utf8')).toBe('another')
  })

  it.skipIf(platform === 'win32')('a link stays a link', async () => {
    const file = await given('dotfiles/mcp.json', '{"mcpServers":{}}')
    await mkdir(home.path('.cursor'))
    await symlink(file, home.path('.cursor/mcp.json'))
    await run(['install', 'cursor'])
    expect((await lstat(home.path('.cursor/mcp.json'))).isSymbolicLink()).toBe(true)
    expect(JSON.parse(await readFile(file, 'utf8')).mcpServers.speech).toEqual(server)
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
    expect((await run(['uninstall', 'cursor', '--name', 'constructor'])).stdout).toMatch(/nothing to remove/)
    expect((await run(['install', 'cursor', '--name', 'constructor'])).code).toBe(0)
  })
})
