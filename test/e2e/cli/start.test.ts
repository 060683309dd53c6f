// The start: what runs the jobs is loaded after the tools are listed, and a failure of that still reaches the caller.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { entry, root, type TempFolder, tempFolder } from '../../support/e2e/system.ts'

let folder: TempFolder
/** A copy of the program without the part that runs jobs. */
let damagedEntry: string

beforeAll(async () => {
  folder = await tempFolder()
  const dist = join(folder.path, 'dist')
  cpSync(dirname(entry), dist, { recursive: true })
  cpSync(join(root, 'package.json'), join(folder.path, 'package.json'))
  const chunks = join(dist, 'chunks')
  const [app, ...others] = readdirSync(chunks).filter(name => /^app-/.test(name))
  expect(others).toEqual([])
  rmSync(join(chunks, app!))
  damagedEntry = join(dist, 'main.js')
})
afterAll(() => folder.remove())

const hello = {
  ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
}
const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' }
const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' }
const search = {
  ...{ jsonrpc: '2.0', id: 3, method: 'tools/call' },
  params: { name: 'search_transcripts', arguments: { query: 'word' } },
}

interface Answer {
  id: number
  result: Record<string, unknown>
}

/** Sends the messages to the damaged program, and resolves when it has ended. */
async function run(messages: object[]) {
  const env = { PATH: process.env.PATH, HOME: folder.path, SPEECH_DATA_DIR: join(folder.path, 'data') }
  const server = spawn(process.execPath, [damagedEntry], { env, stdio: 'pipe' })
  const answers: Answer[] = []
  createInterface({ input: server.stdout }).on('line', line => answers.push(JSON.parse(line) as Answer))
  let stderr = ''
  server.stderr.on('data', piece => {
    stderr += piece
  })
  server.stdin.write(messages.map(message => `${JSON.stringify(message)}\n`).join(''))
  const [code] = await once(server, 'close')
  return { answers, stderr, code }
}

it('a server lists its tools before it loads what runs them, whose failure ends it with an error', async () => {
  const { answers, stderr, code } = await run([hello, initialized, list])
  expect(answers.map(({ id }) => id)).toEqual([1, 2])
  expect(answers[1]!.result.tools).toHaveLength(11)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^INTERNAL: /)
})

it('a server whose client stays silent loads what runs the jobs all the same', async () => {
  expect(await run([])).toMatchObject({ answers: [], code: 1 })
})

it('a call that finds the program damaged is answered with the error', async () => {
  const { answers, code } = await run([hello, initialized, search])
  expect(answers.at(-1)).toMatchObject({ id: 3, result: { isError: true } })
  expect(code).toBe(1)
})
