// speech-mcp demo --serve: serves the emulator over HTTP until Ctrl-C, for the MCP Inspector or any other client.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Recordings } from './recordings.ts'

export interface DemoServer {
  /** The built `main.js`. */
  entry: string
  /** Settings of the server. */
  env: Record<string, string>
  /** Known to the emulator. */
  recordings: Recordings
  print(line: string): void
}

/** Resolves with the exit code of the server. */
export async function serveDemo({ entry, env, recordings, print }: DemoServer): Promise<number> {
  const server = spawn(process.execPath, [entry, 'http'], {
    env,
    // A process group of its own: Ctrl-C reaches it once, through this process. A second signal would kill it.
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(server, 'exit')
  const stop = () => void server.kill('SIGTERM')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  process.once('exit', stop)
  const url = await serverUrl(server)
  if (url !== undefined) print(guide(url, { entry, env, recordings }))
  const [code] = (await exited) as [number | null]
  return code ?? 1
}

/** Resolves with the server's URL, or with undefined if it exits first. Copies its stderr to this process. */
async function serverUrl(server: ChildProcessByStdio<null, null, Readable>): Promise<string | undefined> {
  server.stderr.pipe(process.stderr, { end: false })
  for await (const line of createInterface({ input: server.stderr })) {
    const url = /\bserves (http\S+)/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  return undefined
}

function guide(url: string, { entry, env, recordings }: Omit<DemoServer, 'print'>): string {
  const inspector = `npx @modelcontextprotocol/inspector --cli ${url} --transport http`
  const audio = join(recordings.folder, recordings.note)
  const meeting = join(recordings.folder, recordings.meeting)
  const { DASHSCOPE_BASE_URL = '', DASHSCOPE_API_KEY = '' } = env
  const settings = `DASHSCOPE_BASE_URL=${quote(DASHSCOPE_BASE_URL)} DASHSCOPE_API_KEY=${quote(DASHSCOPE_API_KEY)}`
  return [
    '',
    `The server is at ${url}. Try it with the MCP Inspector (requires Node 22.19 or later):`,
    '',
    `  ${inspector} --method tools/list`,
    `  ${inspector} --method tools/call --tool-name transcribe_audio --tool-arg ${quote(`audio=${audio}`)}`,
    `  ${inspector} --method tools/call --tool-name diarize_audio --tool-arg ${quote(`audio=${meeting}`)}`,
    `  ${inspector} --method tools/call --tool-name format_text --tool-arg "text=${dictated}"`,
    '',
    'Or in another terminal, with a text file of your own:',
    '',
    `  ${settings} node ${quote(entry)} format FILE`,
    '',
    `More recordings are in ${recordings.folder}. Ctrl-C stops the demo.`,
  ].join('\n')
}

/** Long enough to be formatted. */
const dictated =
  'so we met on monday and talked about the kiosks and then leila said that the budget is not settled yet so nothing can be ordered before friday'

/** Quotes a command line argument if necessary. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `"${text}"`
}
