// Transcribes a recording through an MCP client, and prints progress and result.
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { progressBar } from '../src/cli/io/progress-bar.ts'

export interface DemoOptions {
  /** Folder of the recordings. */
  fixtures: string
  print(line: string): void
}

export interface Answer {
  transcript_id: string
  text: string
  duration: number
  usage: { cost_usd?: number }
}

/** Calls a tool with a recording and prints the result; undefined if it failed. */
export async function transcribe(
  client: Client,
  { fixtures, print }: DemoOptions,
  tool: string,
  recording: string,
): Promise<Answer | undefined> {
  print(`→ ${tool} {"audio": "${recording}"}`)
  const started = performance.now()
  const bar = progressBar(process.stderr)
  let last = ''
  const result = await client.callTool(
    { name: tool, arguments: { audio: join(fixtures, recording) } },
    {
      timeout: 60_000,
      resetTimeoutOnProgress: true,
      onprogress: ({ progress, total, message = '' }) => {
        bar.show({ done: progress, message, total })
        if (!process.stderr.isTTY && last !== message) print(`  progress: ${message}`)
        last = message
      },
    },
  )
  bar.clear()
  const answer = result.structuredContent as Answer | undefined
  if (result.isError || !answer) {
    const [block] = result.content
    print(block?.type === 'text' ? block.text : 'No answer.')
    return undefined
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const cost = answer.usage.cost_usd?.toFixed(4)
  print(`← ${answer.duration.toFixed(0)} s of audio in ${seconds} s; DashScope would charge $${cost}\n`)
  print(firstLines(answer.text))
  return answer
}

export function firstLines(text: string): string {
  const lines = text.split('\n')
  return `${lines.slice(0, 6).join('\n')}\n${lines.length > 6 ? '…\n' : ''}`
}
