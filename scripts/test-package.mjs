// Packs the project, installs the tarball into an empty folder as a user would, and lists the tools of the installed
// server over stdio: `npm run test:package`. Needs the npm registry, so it is not part of `npm test`.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'speech-mcp-package-'))
const deadlineMs = 30_000

/** npm is a script of its own on each system; the running npm says where it is. */
function npm(args, cwd) {
  const script = process.env.npm_execpath
  const [program, ...first] = script ? [process.execPath, script] : ['npm']
  return execFileSync(program, [...first, ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** Resolves with the server's answer to `tools/list`. */
async function listTools(entry) {
  const server = spawn(process.execPath, [entry], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
  const timer = setTimeout(() => server.kill(), deadlineMs)
  const send = message => server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  send({
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'package', version: '1' },
    },
  })
  try {
    for await (const line of createInterface({ input: server.stdout })) {
      const { id, result } = JSON.parse(line)
      if (id === 1) {
        send({ method: 'notifications/initialized' })
        send({ id: 2, method: 'tools/list' })
      }
      if (id === 2) return result.tools
    }
    throw new Error('The installed server ended before it listed its tools.')
  } finally {
    clearTimeout(timer)
    server.kill()
  }
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
  const tools = await listTools(entry)
  if (tools.length === 0) throw new Error('The installed server lists no tool.')
  process.stdout.write(`speech-mcp ${version}: packed, installed, started; ${tools.length} tools listed.\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
