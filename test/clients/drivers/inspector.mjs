// The command line of MCP Inspector: a process for each call.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answerOf, runScenarios } from './scenarios.mjs'

// The run removes that folder.
const compileCache = join(process.env.HOME, 'compile-cache')
const script = fileURLToPath(new URL(`../node_modules/${process.env.MATRIX_SCRIPT}`, import.meta.url))

await runScenarios(
  async target => {
    const config = join(tmpdir(), `matrix-inspector-${process.pid}.json`)
    const { command, args, env, url } = target
    const speech = target.kind === 'stdio' ? { command, args, env } : { type: 'streamable-http', url }
    writeFileSync(config, JSON.stringify({ mcpServers: { speech } }))
    const run = (method, ...more) =>
      inspect(['--config', config, '--server', 'speech', '--method', method, ...more])
    return {
      tools: async () => (await run('tools/list')).tools.map(({ name }) => name),
      async call(name, args) {
        const pairs = Object.entries(args).map(
          ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
        )
        const given = pairs.length > 0 ? ['--tool-arg', ...pairs] : []
        return answerOf(await run('tools/call', '--tool-name', name, ...given))
      },
      resources: async () => (await run('resources/list')).resources.map(({ uri }) => uri),
      read: async uri => (await run('resources/read', '--uri', uri)).contents[0].text,
      async close() {},
    }
  },
  { progress: false, cancel: false, concurrent: 2 },
)

/** Also a failed call of a tool prints its result; version 2 ends with 5 then. */
function inspect(args) {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [script, '--cli', ...args],
      // Node 22 and later start it faster from what an earlier call has compiled.
      { maxBuffer: 20_000_000, env: { ...process.env, NODE_COMPILE_CACHE: compileCache } },
      (error, printed, said) => {
        const json = printed.slice(printed.search(/^\{/m))
        try {
          resolve(JSON.parse(json))
        } catch {
          reject(new Error(`${error?.code ?? ''} ${said || printed}`.slice(0, 2000)))
        }
      },
    )
  })
}
