// Packs the project, installs the tarball into an empty folder as a user would, and lists the tools of the installed
// server over stdio; then the same with the bundle for this system: `npm run test:package`. Needs the npm registry, so it
// is not part of `npm test`.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listTools } from './list-tools.mjs'
import { npm } from './npm.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'speech-mcp-package-'))
const mcpbTool = '@anthropic-ai/mcpb@2.1.2'

/** Packed, checked and unpacked by the official tool, then started as a client does, with its fields filled in. */
async function tryBundle() {
  execFileSync(process.execPath, [join(root, 'scripts/bundle.mjs'), process.platform, '--out', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const file = readdirSync(folder).find(name => name.endsWith('.mcpb'))
  const unpacked = join(folder, 'bundle')
  const mcpb = (...args) => npm(['exec', '--yes', `--package=${mcpbTool}`, '--', 'mcpb', ...args], folder)
  mcpb('unpack', join(folder, file), unpacked)
  mcpb('validate', join(unpacked, 'manifest.json'))
  const manifest = JSON.parse(readFileSync(join(unpacked, 'manifest.json'), 'utf8'))
  const { args, env } = manifest.server.mcp_config
  const filled = { __dirname: unpacked, 'user_config.api_key': 'sk-none', 'user_config.allowed_dirs': folder }
  const fill = text => text.replace(/\$\{([^}]+)\}/g, (whole, name) => filled[name] ?? whole)
  const [entry, ...folders] = args.map(fill)
  const settings = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)]))
  let listed
  const tools = await listTools(entry, folder, {
    args: folders,
    env: { ...settings, HOME: folder, PATH: '', SPEECH_DATA_DIR: join(folder, 'data') },
    // Opens the store, and so libsql's native part.
    use: async client => {
      listed = await client.callTool({ name: 'search_transcripts', arguments: { query: 'none' } })
    },
  })
  if (listed.isError) throw new Error(`The bundle cannot open its store: ${JSON.stringify(listed.content)}`)
  if (tools.length !== manifest.tools.length)
    throw new Error('The manifest lists other tools than the bundle.')
  const megabytes = (statSync(join(folder, file)).size / 1024 / 1024).toFixed(1)
  process.stdout.write(`${file} (${megabytes} MB): valid, unpacked, started; ${tools.length} tools listed.\n`)
}

try {
  const [{ filename }] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], root))
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  npm(
    ['install', '--no-audit', '--no-fund', '--prefer-offline', '--omit=optional', join(folder, filename)],
    folder,
  )
  const installed = join(folder, 'node_modules', 'speech-mcp')
  const entry = join(installed, 'dist', 'main.js')
  const version = execFileSync(process.execPath, [entry, '--version'], { encoding: 'utf8' }).trim()
  // They are read only once a recording is transcribed.
  for (const file of ['silero.wasm', 'silero-weights.bin', 'silero-LICENSE'])
    if (!existsSync(join(installed, 'dist', 'chunks', file))) throw new Error(`The package lacks ${file}.`)
  const tools = await listTools(entry, folder)
  if (tools.length === 0) throw new Error('The installed server lists no tool.')
  process.stdout.write(`speech-mcp ${version}: packed, installed, started; ${tools.length} tools listed.\n`)
  await tryBundle()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
