// speech-mcp demo: a stand-in cloud, this server and a real MCP client do the main job on a recording of ours.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createApp } from '../app.ts'
import { startStandin } from '../standin/standin.ts'
import type { Command } from './command.ts'
import { stayUp } from './demo-serve.ts'
import { progressBar } from './progress-bar.ts'

// The same from src/commands and from dist/commands.
const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url))
const entry = fileURLToPath(new URL(`../main${import.meta.url.slice(-3)}`, import.meta.url))

interface Answer {
  structuredContent?: { transcript_id: string; text: string; duration: number; usage: { cost_usd?: number } }
  content: { type: string; text?: string }[]
  isError?: boolean
}

export const demo: Command = {
  usage: 'speech-mcp demo',
  help: 'Watch a real MCP client transcribe a recording, without a key or a network.',
  switches: { serve: { help: 'Serve the stand-in over HTTP until Ctrl-C, for the MCP Inspector' } },
  async run({ config, switches, version }) {
    const ffmpeg = await createApp(config).ffmpeg()
    const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-demo-'))
    const standin = await startStandin({
      ffmpeg: ffmpeg.path,
      fixtures,
      latency: { base: 0.3, perSecond: 0.004 },
    })
    const env = {
      DASHSCOPE_BASE_URL: standin.url,
      DASHSCOPE_API_KEY: standin.apiKey,
      SPEECH_DATA_DIR: folder,
      SPEECH_ALLOWED_DIRS: fixtures,
      FFMPEG_PATH: ffmpeg.path,
    }
    try {
      say(`A stand-in for DashScope listens on ${standin.url}; it knows only the recordings in fixtures/.`)
      await standin.warmUp()
      if (!switches.has('serve')) return await show(env, version)
      return await stayUp({ entry, fixtures, say, env: { ...env, SPEECH_HTTP_PORT: `${config.httpPort}` } })
    } finally {
      await standin.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** A client does over stdio what a client does. */
async function show(env: Record<string, string>, version: string): Promise<number> {
  const { Client } = await import('@modelcontextprotocol/client')
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio')
  const client = new Client({ name: 'speech-mcp-demo', version })
  try {
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [entry], env }))
    const { tools } = await client.listTools()
    say(
      `An MCP client started the server over stdio. Its tools: ${tools.map(({ name }) => name).join(', ')}.\n`,
    )

    for (const recording of ['voice-note.ogg', 'interview.mp3']) {
      say(`→ transcribe_audio {"audio": "${recording}"}`)
      const started = performance.now()
      const bar = progressBar(process.stderr)
      const lines: string[] = []
      const result = (await client.callTool(
        { name: 'transcribe_audio', arguments: { audio: join(fixtures, recording) } },
        {
          timeout: 60_000,
          resetTimeoutOnProgress: true,
          onprogress: ({ progress, total, message = '' }) => {
            bar.show({ done: progress, message, ...(total !== undefined && { total }) })
            if (!process.stderr.isTTY && lines.at(-1) !== message) lines.push(message)
          },
        },
      )) as Answer
      bar.clear()
      for (const line of lines) say(`  progress: ${line}`)
      if (result.isError || !result.structuredContent) {
        say(result.content[0]?.text ?? 'no answer')
        return 1
      }
      const { text, duration, transcript_id, usage } = result.structuredContent
      const took = ((performance.now() - started) / 1000).toFixed(1)
      say(
        `← ${duration.toFixed(0)} s of audio in ${took} s; the real cloud would charge $${usage.cost_usd?.toFixed(4)}\n`,
      )
      say(`${text.split('\n').slice(0, 6).join('\n')}\n${text.split('\n').length > 6 ? '…\n' : ''}`)
      if (recording === 'interview.mp3') {
        const uri = `transcript://${transcript_id}/srt`
        say(`→ resources/read ${uri}`)
        const { contents } = await client.readResource({ uri })
        const [first] = contents
        say(`${first && 'text' in first ? first.text.split('\n\n').slice(0, 3).join('\n\n') : ''}\n\n…`)
      }
    }
    say(
      '\nThat was the whole road, with a stand-in for the cloud. For your own recordings set DASHSCOPE_API_KEY',
    )
    say('and add the server to your client: README.md has a block for each.')
    return 0
  } finally {
    await client.close().catch(() => {})
  }
}
