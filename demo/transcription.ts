// How the demo orders a recording and tells what comes of it: as a client does that shows the progress.
import { join } from 'node:path'
import type { Client, Progress } from '@modelcontextprotocol/client'
import { progressBar } from '../src/cli/io/progress-bar.ts'

export interface Stage {
  /** Folder of the recordings. */
  fixtures: string
  say(line: string): void
}

export interface Answer {
  transcript_id: string
  text: string
  duration: number
  usage: { cost_usd?: number }
}

/** Shows what comes of a recording; undefined where it failed. */
export async function order(
  client: Client,
  { fixtures, say }: Stage,
  tool: string,
  recording: string,
  onProgress: (progress: Progress) => void = () => {},
): Promise<Answer | undefined> {
  say(`→ ${tool} {"audio": "${recording}"}`)
  const started = performance.now()
  const bar = progressBar(process.stderr)
  let last = ''
  const result = await client.callTool(
    { name: tool, arguments: { audio: join(fixtures, recording) } },
    {
      timeout: 60_000,
      resetTimeoutOnProgress: true,
      onprogress: update => {
        const { progress, total, message = '' } = update
        bar.show({ done: progress, message, ...(total !== undefined && { total }) })
        if (!process.stderr.isTTY && last !== message) say(`  progress: ${message}`)
        last = message
        onProgress(update)
      },
    },
  )
  bar.clear()
  const answer = result.structuredContent as Answer | undefined
  if (result.isError || !answer) {
    const [block] = result.content
    say(block?.type === 'text' ? block.text : 'no answer')
    return undefined
  }
  const took = ((performance.now() - started) / 1000).toFixed(1)
  const cost = answer.usage.cost_usd?.toFixed(4)
  say(`← ${answer.duration.toFixed(0)} s of audio in ${took} s; the real cloud would charge $${cost}\n`)
  say(beginning(answer.text))
  return answer
}

export function beginning(text: string): string {
  const lines = text.split('\n')
  return `${lines.slice(0, 6).join('\n')}\n${lines.length > 6 ? '…\n' : ''}`
}
