// The bundle for this system, as the official tool and a client take it.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { npm } from '../npm.mjs'
import { checkMended, filesOf, licensedPackages } from './folders.mjs'
import { listToolsAndSearch } from './store.mjs'

const mcpbTool = '@anthropic-ai/mcpb@2.1.2'

/** Packed, checked and unpacked by the official tool, then started as a client does, with its fields filled in. */
export async function tryBundle(root, folder) {
  execFileSync(process.execPath, [join(root, 'scripts/bundle.mjs'), process.platform, '--out', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const file = readdirSync(folder).find(name => name.endsWith('.mcpb'))
  const unpacked = join(folder, 'bundle')
  const mcpb = (...args) => npm(['exec', '--yes', `--package=${mcpbTool}`, '--', 'mcpb', ...args], folder)
  mcpb('unpack', join(folder, file), unpacked)
  mcpb('validate', join(unpacked, 'manifest.json'))
  checkMended(licensedPackages(join(unpacked, 'THIRD_PARTY_LICENSES')))
  const files = filesOf(unpacked)
  for (const folder of new Set(files.map(file => /^server\/node_modules\/@libsql\/[^/]+/.exec(file)?.[0])))
    if (folder && !files.includes(`${folder}/LICENSE`)) throw new Error(`${folder} has no licence.`)
  const manifest = JSON.parse(readFileSync(join(unpacked, 'manifest.json'), 'utf8'))
  const { args, env } = manifest.server.mcp_config
  const filled = { __dirname: unpacked, 'user_config.api_key': 'sk-none', 'user_config.allowed_dirs': folder }
  const fill = text => text.replace(/\$\{([^}]+)\}/g, (whole, name) => filled[name] ?? whole)
  const [entry, ...folders] = args.map(fill)
  const settings = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)]))
  const tools = await listToolsAndSearch(entry, folder, { args: folders, env: settings })
  if (tools.length !== manifest.tools.length)
    throw new Error('The manifest lists other tools than the bundle.')
  const megabytes = (statSync(join(folder, file)).size / 1024 / 1024).toFixed(1)
  return `${file} (${megabytes} MB): valid, unpacked, started; ${tools.length} tools listed.`
}
