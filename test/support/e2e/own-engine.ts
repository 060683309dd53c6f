// A server without any Alibaba key beside an engine of the user's own, and the connections that it opens.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { testFfmpeg } from '../audio/ffmpeg.ts'
import { startServerHere } from './server-here.ts'
import { entry, plainWords, root, type ToolAnswer, tempFolder } from './system.ts'

export interface OwnEngineSystem {
  env: Record<string, string>
  /** Folder of the test, readable by the server. */
  folder: string
  call(tool: string, args: Record<string, unknown>): Promise<ToolAnswer>
  /** Text of a transcript. */
  text(id: string): Promise<string>
  /** The same on one line. */
  words(id: string): Promise<string>
  /** A transcript as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely
  transcript(id: string): Promise<any>
  /** `host:port` of each connection that the server has opened. */
  connections(): string[]
  close(): Promise<void>
}

/** `isHere`: the server runs in the process of the test, which must open no connections itself. */
export async function startOwnEngineSystem(
  more: Record<string, string>,
  { isHere = false } = {},
): Promise<OwnEngineSystem> {
  const folder = await tempFolder()
  const log = join(folder.path, 'connections')
  writeFileSync(log, '')
  const env = {
    PATH: process.env.PATH ?? '',
    SPEECH_DATA_DIR: join(folder.path, 'data'),
    SPEECH_ALLOWED_DIRS: [join(root, 'fixtures'), folder.path].join(':'),
    FFMPEG_PATH: await testFfmpeg(),
    SPEECH_POLL_SECONDS: '0.05',
    TEST_CONNECTIONS: log,
    ...more,
  }
  const { client, close } = await (isHere ? serverHere(env) : startServer(env))
  const read = async (uri: string) =>
    ((await client.readResource({ uri })).contents[0] as { text: string }).text
  return {
    env,
    folder: folder.path,
    async call(name, args) {
      const result = await client.callTool({ name, arguments: args })
      const [block] = result.content as { text: string }[]
      return { isError: result.isError === true, text: block?.text ?? '', data: result.structuredContent }
    },
    text: id => read(`transcript://${id}/txt`),
    words: async id => plainWords(await read(`transcript://${id}/txt`)),
    transcript: async id => JSON.parse(await read(`transcript://${id}/json`)),
    connections: () => readFileSync(log, 'utf8').split('\n').filter(Boolean),
    async close() {
      await close()
      await folder.remove()
    },
  }
}

const counter = join(root, 'test/support/e2e/connections.mjs')

async function startServer(env: Record<string, string>) {
  const args = ['--import', counter, entry]
  const transport = new StdioClientTransport({ command: process.execPath, args, env })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(transport)
  return { client, close: () => client.close() }
}

async function serverHere(env: Record<string, string>) {
  const { recordConnections } = await import('./connections.mjs')
  const stop = recordConnections(env.TEST_CONNECTIONS!)
  const { client, close } = await startServerHere(env)
  return { client, close: () => close().finally(stop) }
}
