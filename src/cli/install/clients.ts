// The clients: where each keeps its configuration on each system, and how it writes a server down.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ConfigFormat, jsonFormat } from './json-format.ts'
import { tomlFormat } from './toml-format.ts'

/** The folders of one user on one system. */
export interface UserFolders {
  platform: NodeJS.Platform
  home: string
  /** Value of a variable that names a folder. */
  variable: (name: string) => string | undefined
}

interface Place {
  file: string
  /** File or folder that exists where the client is installed. */
  sign: string
}

export interface Client {
  title: string
  format: ConfigFormat
  /** Key of the object that holds the servers. */
  servers: string
  /** Fields that the client wants beside command, arguments and environment. */
  fields?: Record<string, string>
  /** In the order in which the client prefers them. */
  places: (folders: UserFolders) => Place[]
  /** Makes a running client read the file. */
  reload: string
}

const inFolder = (folder: string, file: string): Place => ({ file: join(folder, file), sign: folder })

const restart = (title: string) => `Quit ${title} and start it again.`

export const clients: Record<string, Client> = {
  'claude-desktop': {
    title: 'Claude Desktop',
    format: jsonFormat,
    servers: 'mcpServers',
    places: folders =>
      [...packagedFolders(folders), join(appData(folders), 'Claude')].map(folder =>
        inFolder(folder, 'claude_desktop_config.json'),
      ),
    reload: restart('Claude Desktop'),
  },
  'claude-code': {
    title: 'Claude Code',
    format: jsonFormat,
    servers: 'mcpServers',
    fields: { type: 'stdio' },
    places: ({ home, variable }) => {
      const own = variable('CLAUDE_CONFIG_DIR')
      if (own) return [inFolder(own, '.claude.json')]
      const file = join(home, '.claude.json')
      return [
        { file, sign: file },
        { file, sign: join(home, '.claude') },
      ]
    },
    reload: 'Start a new session of Claude Code.',
  },
  cursor: {
    title: 'Cursor',
    format: jsonFormat,
    servers: 'mcpServers',
    places: ({ home }) => [inFolder(join(home, '.cursor'), 'mcp.json')],
    reload: restart('Cursor'),
  },
  vscode: {
    title: 'VS Code',
    format: jsonFormat,
    servers: 'servers',
    fields: { type: 'stdio' },
    places: folders => [inFolder(join(appData(folders), 'Code', 'User'), 'mcp.json')],
    reload: 'Run “MCP: List Servers” in VS Code and start the server.',
  },
  windsurf: {
    title: 'Windsurf',
    format: jsonFormat,
    servers: 'mcpServers',
    places: ({ home }) => [inFolder(join(home, '.codeium', 'windsurf'), 'mcp_config.json')],
    reload: 'Refresh the list of MCP servers in Windsurf.',
  },
  zed: {
    title: 'Zed',
    format: jsonFormat,
    servers: 'context_servers',
    // Versions of 2025 need it.
    fields: { source: 'custom' },
    places: folders => {
      const { platform, home, variable } = folders
      const linux = variable('XDG_CONFIG_HOME') ?? join(home, '.config')
      const folder = {
        win32: () => join(appData(folders), 'Zed'),
        darwin: () => join(home, '.config', 'zed'),
      }[platform as string]
      return [inFolder(folder?.() ?? join(linux, 'zed'), 'settings.json')]
    },
    reload: 'Zed starts the server at once.',
  },
  codex: {
    title: 'Codex',
    format: tomlFormat,
    servers: 'mcp_servers',
    places: ({ home, variable }) => [inFolder(variable('CODEX_HOME') ?? join(home, '.codex'), 'config.toml')],
    reload: 'Start a new session of Codex.',
  },
  'gemini-cli': {
    title: 'Gemini CLI',
    format: jsonFormat,
    servers: 'mcpServers',
    places: ({ home }) => [inFolder(join(home, '.gemini'), 'settings.json')],
    reload: 'Start a new session of Gemini CLI.',
  },
}

/** The first place where the client is installed; without one, the last that was looked at, as `missing`. */
export function placeOf(client: Client, folders: UserFolders): { file: string } | { missing: string } {
  const places = client.places(folders)
  const found = places.find(({ sign }) => existsSync(sign))
  return found ? { file: found.file } : { missing: places.at(-1)!.sign }
}

/** Where the system keeps the settings of programs. */
function appData({ platform, home, variable }: UserFolders): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support')
  if (platform === 'win32') return variable('APPDATA') ?? join(home, 'AppData', 'Roaming')
  return variable('XDG_CONFIG_HOME') ?? join(home, '.config')
}

/** Claude Desktop from the Microsoft Store sees these folders in place of those in `APPDATA`. */
function packagedFolders({ platform, home, variable }: UserFolders): string[] {
  if (platform !== 'win32') return []
  const packages = join(variable('LOCALAPPDATA') ?? join(home, 'AppData', 'Local'), 'Packages')
  try {
    return readdirSync(packages)
      .filter(name => /^Claude_/i.test(name))
      .map(name => join(packages, name, 'LocalCache', 'Roaming', 'Claude'))
  } catch {
    return []
  }
}
