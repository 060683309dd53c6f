// Claude Code, driven by a scripted model: each call is a tool that the model asks for in a turn.
import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { runScenarios } from './scenarios.mjs'
import { startModel } from './scripted-model.mjs'

const program = fileURLToPath(new URL(`../node_modules/${process.env.MATRIX_SCRIPT}`, import.meta.url))
const command = program.endsWith('.js') ? [process.execPath, program] : [program]
const flags = [
  '-p',
  '--input-format',
  'stream-json',
  '--output-format',
  'stream-json',
  '--verbose',
  '--strict-mcp-config',
]
const own = ['ListMcpResourcesTool', 'ReadMcpResourceTool']

await runScenarios(open, { progress: 'unseen', relist: false, concurrent: 10 })

async function open(target) {
  const home = mkdtempSync(join(tmpdir(), 'matrix-claude-'))
  const { command: program, args, env, url } = target
  const speech =
    target.kind === 'stdio' ? { type: 'stdio', command: program, args, env } : { type: 'http', url }
  const config = join(home, 'mcp.json')
  writeFileSync(config, JSON.stringify({ mcpServers: { speech } }))

  /** Calls that wait for their turn, and those whose results are awaited. */
  const waiting = []
  const pending = new Map()
  const model = await startModel({
    take: () => waiting.splice(0).map(({ id, name, input }) => ({ id, name, input })),
    onResult(id, { content = '', is_error = false }) {
      const text = typeof content === 'string' ? content : content.map(block => block.text ?? '').join('\n')
      pending.get(id)?.({ isError: is_error, text })
      pending.delete(id)
    },
  })
  const child = spawn(
    command[0],
    [
      ...command.slice(1),
      ...flags,
      '--mcp-config',
      config,
      '--allowedTools',
      ['mcp__speech', ...own].join(','),
    ],
    {
      cwd: home,
      env: {
        PATH: process.env.PATH,
        HOME: home,
        CLAUDE_CONFIG_DIR: join(home, 'config'),
        ANTHROPIC_BASE_URL: model.url,
        ANTHROPIC_API_KEY: 'sk-ant-scripted',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
        ENABLE_TOOL_SEARCH: 'false',
        MCP_CONNECTION_NONBLOCKING: '0',
        MCP_TIMEOUT: '60000',
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  let init
  let endTurn
  let turn
  createInterface({ input: child.stdout }).on('line', line => {
    const message = JSON.parse(line)
    if (process.env.MATRIX_DEBUG) process.stderr.write(`${line.slice(0, 400)}\n`)
    if (message.type === 'system' && message.subtype === 'init') init = message
    if (message.type === 'result') endTurn?.()
  })
  child.once('exit', () => endTurn?.())
  const say = message => child.stdin.write(`${JSON.stringify(message)}\n`)

  /** Runs turns until no call waits. */
  async function runTurns() {
    do {
      const ended = new Promise(resolve => {
        endTurn = resolve
      })
      say({ type: 'user', message: { role: 'user', content: [{ type: 'text', text: 'Go on.' }] } })
      await ended
      // An interrupted turn has no results.
      for (const [id, resolve] of pending)
        if (!waiting.some(call => call.id === id)) {
          pending.delete(id)
          resolve({ isError: true, text: 'interrupted' })
        }
    } while (waiting.length > 0)
    turn = undefined
  }

  let count = 0
  function use(name, input, signal) {
    const id = `toolu_${String(++count).padStart(6, '0')}`
    const result = new Promise(resolve => pending.set(id, resolve))
    waiting.push({ id, name, input })
    turn ??= Promise.resolve().then(runTurns)
    signal?.addEventListener('abort', () =>
      say({ type: 'control_request', request_id: id, request: { subtype: 'interrupt' } }),
    )
    return result
  }

  async function answered(name, input) {
    const { isError, text } = await use(name, input)
    if (isError) throw new Error(text)
    return text
  }

  return {
    async tools() {
      await turn
      turn = runTurns()
      await turn
      const server = init?.mcp_servers.find(({ name }) => name === 'speech')
      if (server?.status !== 'connected') throw new Error(`The server is ${server?.status}.`)
      await answered('mcp__speech__find_recordings', {})
      return init.tools.filter(name => name.startsWith('mcp__speech__')).map(name => name.slice(13))
    },
    call: (name, args, { signal } = {}) => use(`mcp__speech__${name}`, args, signal),
    resources: async () =>
      JSON.parse(await answered('ListMcpResourcesTool', { server: 'speech' })).map(({ uri }) => uri),
    read: async uri =>
      JSON.parse(await answered('ReadMcpResourceTool', { server: 'speech', uri })).contents[0].text,
    async close() {
      child.stdin.end()
      child.kill()
      model.close()
    },
  }
}
