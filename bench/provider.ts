// A provider for measurements, in a process of its own, with DashScope's API and OpenAI's: well-formed answers after a
// time that its arguments set: a fixed part, and more for each second of audio. It ignores the audio that it receives, so that it takes
// no processor time from the measured server.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Base64 characters per second of audio, for MP3 at 32 and 24 kbit/s. */
const charactersPerSecond = { long: (32_000 / 8) * (4 / 3), short: (24_000 / 8) * (4 / 3) }
/** A smaller request body is of a short recording, which is encoded at 24 kbit/s. */
const minLongBytes = 60_000

/** OpenAI's API gets files as they are: the recordings of the benchmarks, 128 kbit/s MP3. */
const fileBytesPerSecond = 128_000 / 8

const [baseMs, perSecondMs] = process.argv.slice(2).map(Number) as [number, number]

const server = createServer((request, response) => {
  const isFile = request.url?.endsWith('/audio/transcriptions')
  process.send?.({ event: 'request', at: Date.now() })
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
  })
  request.on('end', () => {
    const perSecond = size < minLongBytes ? charactersPerSecond.short : charactersPerSecond.long
    const seconds = size / (isFile ? fileBytesPerSecond : perSecond)
    const delay = baseMs + perSecondMs * seconds
    setTimeout(() => {
      const text = 'The quick brown fox jumps over the lazy dog near the river bank. '.repeat(
        Math.ceil(seconds / 5),
      )
      process.send?.({ event: 'answer', at: Date.now(), delay })
      if (isFile) return void response.setHeader('content-type', 'text/plain').end(varied(text))
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          output: {
            choices: [
              {
                finish_reason: 'stop',
                message: {
                  annotations: [{ language: 'en', type: 'audio_info' }],
                  content: [{ text: varied(text) }],
                  role: 'assistant',
                },
              },
            ],
          },
          usage: { seconds: Math.ceil(seconds) },
          request_id: 'bench',
        }),
      )
    }, delay)
  })
})

/** Numbers the sentences: repeated text would be taken for a loop of the model. */
function varied(text: string): string {
  let n = 0
  return text.replace(/fox/g, () => `fox${n++}`)
}

server.listen(0, '127.0.0.1', () =>
  process.send?.({ event: 'ready', port: (server.address() as AddressInfo).port }),
)
process.once('disconnect', () => process.exit(0))
