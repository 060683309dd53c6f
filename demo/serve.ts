// speech-mcp demo --serve: the server stays up over HTTP, for the MCP Inspector or any other client, until Ctrl-C.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface DemoServer {
  /** What to start, and with which settings. */
  entry: string
  env: Record<string, string>
  /** The recordings that the stand-in knows. */
  fixtures: string
  say(line: string): void
}

/** Resolves with the exit code when the server has ended. */
export async function stayUp({ entry, env, fixtures, say }: DemoServer): Promise<number> {
  const server = spawn(process.execPath, [entry, 'http'], {
    env,
    // In a group of its own: Ctrl-C reaches it through us alone, and not twice, which would end it at once.
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(server, 'exit')
  const stop = () => void server.kill('SIGTERM')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  process.once('exit', stop)
  const url = await address(server)
  if (url !== undefined) say(guide(url, { entry, env, fixtures }))
  const [code] = (await ended) as [number | null]
  return code ?? 1
}

/** Where the server is; undefined when it ends before it says so. Passes on all that it says. */
async function address(server: ChildProcessByStdio<null, null, Readable>): Promise<string | undefined> {
  server.stderr.pipe(process.stderr, { end: false })
  for await (const line of createInterface({ input: server.stderr })) {
    const url = /\bserves (http\S+)/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  return undefined
}

function guide(url: string, { entry, env, fixtures }: Omit<DemoServer, 'say'>): string {
  const inspector = `npx @modelcontextprotocol/inspector --cli ${url} --transport http`
  const audio = join(fixtures, 'voice-note.ogg')
  const meeting = join(fixtures, 'meeting.m4a')
  const { DASHSCOPE_BASE_URL = '', DASHSCOPE_API_KEY = '' } = env
  const account = `DASHSCOPE_BASE_URL=${word(DASHSCOPE_BASE_URL)} DASHSCOPE_API_KEY=${word(DASHSCOPE_API_KEY)}`
  return [
    '',
    `The server is at ${url}. Try it with the MCP Inspector (it asks for Node 22.19 or newer):`,
    '',
    `  ${inspector} --method tools/list`,
    `  ${inspector} --method tools/call --tool-name transcribe_audio --tool-arg ${word(`audio=${audio}`)}`,
    `  ${inspector} --method tools/call --tool-name diarize_audio --tool-arg ${word(`audio=${meeting}`)}`,
    `  ${inspector} --method tools/call --tool-name format_text --tool-arg "text=${dictated}"`,
    '',
    'Or at another terminal, with a text of yours:',
    '',
    `  ${account} node ${word(entry)} format FILE`,
    '',
    `More recordings are in ${fixtures}. Ctrl-C ends it all.`,
  ].join('\n')
}

/** Longer than what is left as it is. */
const dictated =
  'so we met on monday and talked about the kiosks and then leila said that the budget is not settled yet so nothing can be ordered before friday'

/** One word of a command line. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `"${text}"`
}
