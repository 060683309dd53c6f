// How each server is started, led to a provider on loopback, and asked for a transcript of a local file.
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { programOf, root } from '../measure.ts'

/** What a tool answers with. */
type Result = Awaited<ReturnType<Client['callTool']>>

export interface ProviderAccess {
  /** Address of the provider's API, as the server's setting takes it. */
  url: string
  apiKey: string
}

export interface Recipe {
  name: string
  /** Exact package of the npm registry; absent for this project. */
  package?: string
  /** API that it speaks. */
  api: 'dashscope' | 'openai'
  /** The program, where the package was installed in this folder. */
  program(folder: string): string
  /** `data` is a fresh folder; recordings lie in `recordings`. */
  env(
    provider: ProviderAccess,
    folders: { data: string; recordings: string; ffmpeg: string },
  ): Record<string, string>
  tool: string
  arguments(file: string): Record<string, unknown>
  /** The whole text of the transcript. */
  text(result: Result, client: Client): Promise<string>
}

const textOf = ({ content }: Result) =>
  content.map(item => (item.type === 'text' ? item.text : '')).join('\n')

export const ours: Recipe = {
  name: 'speech-mcp',
  api: 'dashscope',
  program: () => programOf(root),
  env: ({ url, apiKey }, { data, recordings, ffmpeg }) => ({
    DASHSCOPE_BASE_URL: url,
    DASHSCOPE_API_KEY: apiKey,
    SPEECH_DATA_DIR: data,
    SPEECH_ALLOWED_DIRS: recordings,
    FFMPEG_PATH: ffmpeg,
  }),
  tool: 'transcribe_audio',
  arguments: audio => ({ audio, wait_seconds: 240 }),
  async text({ structuredContent }, client) {
    const { transcript_id: id, status } = structuredContent as { transcript_id: string; status: string }
    if (status !== 'completed') throw new Error(`The transcript is ${status}.`)
    const { contents } = await client.readResource({ uri: `transcript://${id}/txt` })
    return contents.map(content => ('text' in content ? content.text : '')).join('\n')
  },
}

/**
 * Servers of the npm registry that transcribe a local file through an API whose address can be set. Looked at in
 * November 2026 and left out: `mistral-mcp` 0.8.2 takes files by an upload of its own API only; `transcribe-mcp` 0.1.2
 * asks a paid service at a fixed address; `audio-transcription-mcp` 0.7.1 and `@modelcontextprotocol/server-transcript`
 * 2.0.3 listen to a microphone; `whisper-mcp` 0.1.1 runs whisper.cpp; `mcp-server-whisper` 0.0.1 holds no server.
 */
export const peers: Recipe[] = [
  {
    name: 'cloud-asr-mcp',
    package: 'cloud-asr-mcp@0.4.0',
    api: 'openai',
    program: folder => join(folder, 'node_modules', 'cloud-asr-mcp', 'dist', 'index.js'),
    // The ninth preset is gpt-4o-transcribe.
    env: ({ url, apiKey }) => ({ OPENAI_BASE_URL: url, OPENAI_API_KEY: apiKey, TRANSCRIPTION_PRESET: '9' }),
    tool: 'transcribe_raw',
    arguments: file_path => ({ file_path }),
    text: async result => (JSON.parse(textOf(result)) as { transcript: string }).transcript,
  },
]
