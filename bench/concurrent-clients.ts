// Fifty HTTP clients at once, each with a voice note of its own, while an hour of audio is transcribed.
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { connect, startHttpServer } from './http-server.ts'
import { median, root, run, timed } from './measure.ts'

export interface ConcurrencyResult {
  /** Event loop delay in milliseconds: the 99th percentile and the longest. */
  p99: number
  longest: number
  /** Calls that failed, or that returned the transcript of another client's note. */
  wrong: number
  /** Median seconds of a voice note's call. */
  noteSeconds: number
  /** Seconds until the hour is transcribed. */
  hourSeconds: number
}

const clients = 50

/** Cuts the notes from different parts of the interview and writes them to `folder`. */
export async function benchConcurrentClients(
  ffmpeg: string,
  folder: string,
  hour: string,
  env: Record<string, string>,
  build: string,
): Promise<ConcurrencyResult> {
  const notes = Array.from({ length: clients }, (_, i) => join(folder, `note-${i}.wav`))
  const interview = join(root, 'fixtures', 'interview.mp3')
  for (const [i, note] of notes.entries())
    await run(ffmpeg, [
      '-nostdin',
      '-y',
      '-ss',
      String(i * 6),
      '-i',
      interview,
      '-t',
      '6',
      '-ac',
      '1',
      '-ar',
      '16000',
      note,
    ])

  const server = await startHttpServer(env, build)
  try {
    const { url } = server
    const long = await connect(url)
    const noteClients = await Promise.all(notes.map(() => connect(url)))
    server.resetDelay()
    const whole = timed(() => transcribe(long, hour))
    // The hour is under way before the other clients begin.
    await new Promise(resolve => setTimeout(resolve, 500))
    const results = await Promise.all(
      noteClients.map((client, i) => timed(() => transcribeAndRead(client, notes[i]!, i))),
    )
    const [took] = await whole
    const { p99, max } = await server.delay()
    await Promise.all([long, ...noteClients].map(client => client.close()))
    const wrong = results.filter(([, right]) => !right).length
    return {
      p99,
      longest: max,
      wrong,
      noteSeconds: median(results.map(([seconds]) => seconds)),
      hourSeconds: took,
    }
  } finally {
    server.stop()
  }
}

interface Answer {
  status: string
  transcript_id: string
  title: string
}

async function transcribe(client: Client, audio: string): Promise<Answer> {
  const options = { timeout: 600_000, onprogress: () => {}, resetTimeoutOnProgress: true }
  const call = { name: 'transcribe_audio', arguments: { audio, wait_seconds: 240 } }
  const result = await client.callTool(call, options)
  if (result.isError) throw new Error(JSON.stringify(result.content))
  return result.structuredContent as unknown as Answer
}

/** Resolves with true when the client got its own note's transcript and could read the others in the list. */
async function transcribeAndRead(client: Client, note: string, i: number): Promise<boolean> {
  const own = await transcribe(client, note)
  const { resources } = await client.listResources()
  for (const { uri, title } of resources.slice(0, 5)) {
    const { contents } = await client.readResource({ uri })
    const [first] = contents
    if (!(first && 'text' in first && first.text.startsWith(title ?? '?'))) return false
  }
  return own.status === 'completed' && own.title === `note-${i}`
}
