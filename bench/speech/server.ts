// Stands at the address of a provider and recognises what it is sent by PocketSphinx. It shares no code with the emulators.
import { execFileSync } from 'node:child_process'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type HeardWord, recognise, withPunctuation } from './pocketsphinx.ts'

export interface SpeechServer {
  /** Forms of requests for chunks: of DashScope, which answers with text alone, and of OpenAI, with measured words. */
  url: string
  close(): void
}

export async function startServer(
  folder: string,
  grammar: string,
  texts: string[],
  ffmpeg: string,
): Promise<SpeechServer> {
  let requests = 0

  async function hear(audio: Buffer): Promise<HeardWord[]> {
    const name = `chunk-${requests++}`
    const output = ['-f', 's16le', '-ar', '16000', '-ac', '1', '-y', join(folder, `${name}.raw`)]
    execFileSync(ffmpeg, ['-v', 'error', '-i', 'pipe:0', ...output], { input: audio })
    return recognise(folder, name, grammar)
  }

  const server = createServer(async (request, response) => {
    try {
      const body = await bodyOf(request)
      const isOpenAi = request.url!.endsWith('/audio/transcriptions')
      const audio = isOpenAi ? await fileOf(request, body) : dataOf(body)
      const words = await hear(audio)
      const text = withPunctuation(words, texts)
      const timed = words.map(({ text, start, end }) => ({ word: text, start, end }))
      const message = { role: 'assistant', content: text ? [{ text }] : [] }
      const answer = isOpenAi
        ? { text, words: timed }
        : { output: { choices: [{ finish_reason: 'stop', message }] } }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
    } catch (error) {
      console.error(error)
      response.writeHead(500).end()
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

function dataOf(body: Buffer): Buffer {
  const { input } = JSON.parse(body.toString()) as {
    input: { messages: { content: { audio?: string }[] }[] }
  }
  const uri = input.messages.flatMap(({ content }) => content).find(({ audio }) => audio)!.audio!
  return Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64')
}

async function fileOf({ headers }: IncomingMessage, body: Buffer): Promise<Buffer> {
  const given = { headers: { 'content-type': headers['content-type']! } }
  const file = (await new Response(new Uint8Array(body), given).formData()).get('file') as File
  return Buffer.from(await file.arrayBuffer())
}
