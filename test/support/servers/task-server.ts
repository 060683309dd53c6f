// A server with responses set by the test, for DashScope's tasks and result files; and responses of the real service.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedRequest {
  method: string
  /** With its query. */
  path: string
  headers: IncomingMessage['headers']
  body: string
}

export type Responder = (
  received: ReceivedRequest,
  response: ServerResponse,
  request: IncomingMessage,
) => void

export interface TaskServer {
  origin: string
  /** As DASHSCOPE_BASE_URL has it. */
  baseUrl: string
  /** Since the responder was last changed. */
  requests: ReceivedRequest[]
  /** Responds to every request in this way from now on. */
  respondWith(responder: Responder): void
  /** Responds to every request with the same status and body. */
  respond(status: number, body: object | string): void
  /** Responds with each of these in turn; the last one stays. */
  respondInTurn(...responders: Responder[]): void
  close(): Promise<void>
}

export const reply =
  (status: number, body: object | string): Responder =>
  (_, response) =>
    void response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))

export const dropConnection: Responder = (_, __, request) => void request.socket.destroy()

export async function startTaskServer(port = 0): Promise<TaskServer> {
  let responder: Responder = reply(500, '')
  let requests: ReceivedRequest[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      return
    }
    const { method = '', url: path = '', headers } = request
    requests.push({ method, path, headers, body: Buffer.concat(chunks).toString() })
    responder(requests.at(-1)!, response, request)
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const respondWith = (next: Responder) => {
    responder = next
    requests = []
  }
  return {
    origin,
    baseUrl: `${origin}/api/v1`,
    respondWith,
    get requests() {
      return requests
    },
    respond: (status, body) => respondWith(reply(status, body)),
    respondInTurn(...all) {
      let turn = 0
      respondWith((...request) => all[Math.min(turn++, all.length - 1)]!(...request))
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const times = { submit_time: '2025-10-27 14:19:31.150', scheduled_time: '2025-10-27 14:19:31.233' }

/** The response to a query about a task. */
export const task = (task_status: string, output: object = {}, rest: object = {}) => ({
  request_id: '7574ee8f-38a3-4b1e-9280-11c33ab46e51',
  output: { task_id: 't', task_status, ...times, ...output },
  ...rest,
})

/** A finished part of a fun-asr task. */
export const finishedPart = (transcription_url: string) => ({
  file_url: 'https://b/transcribed.mp3',
  transcription_url,
  subtask_status: 'SUCCEEDED',
})

/** A finished task of the fun-asr family. */
export const listTask = (transcription_url: string, usage: object = { duration: 9 }) =>
  task(
    'SUCCEEDED',
    {
      results: [finishedPart(transcription_url)],
      task_metrics: { TOTAL: 1, SUCCEEDED: 1, FAILED: 0 },
    },
    { usage },
  )

/** A finished task of the qwen3-asr family. */
export const singleTask = (transcription_url: string) =>
  task('SUCCEEDED', { result: { transcription_url } }, { usage: { seconds: 3 } })

/** A result file of fun-asr (Model Studio reference). */
export const listResult = {
  file_url: 'https://b/file.wav',
  properties: {
    audio_format: 'pcm_s16le',
    channels: [0],
    original_sampling_rate: 16000,
    original_duration_in_milliseconds: 3834,
  },
  transcripts: [
    {
      channel_id: 0,
      content_duration_in_milliseconds: 3720,
      text: 'Hello world, 这里。',
      sentences: [
        {
          begin_time: 100,
          end_time: 3820,
          text: 'Hello world, 这里。',
          sentence_id: 1,
          speaker_id: 0,
          words: [
            { begin_time: 100, end_time: 596, text: 'Hello ', punctuation: '' },
            { begin_time: 596, end_time: 844, text: 'world', punctuation: ', ' },
            { begin_time: 900, end_time: 1200, text: '这', punctuation: '' },
            { begin_time: 1200, end_time: 1500, text: '里', punctuation: '。' },
          ],
        },
      ],
    },
  ],
}

/** A result file of qwen3-asr-flash-filetrans (Model Studio reference). */
export const singleResult = {
  file_url: 'https://b/file.mp3',
  audio_info: { format: 'mp3', sample_rate: 22050 },
  transcripts: [
    {
      channel_id: 0,
      text: '欢迎。',
      sentences: [
        {
          sentence_id: 0,
          begin_time: 0,
          end_time: 1440,
          language: 'zh',
          emotion: 'neutral',
          text: '欢迎。',
          words: [
            { begin_time: 0, end_time: 160, text: '欢', punctuation: '' },
            { begin_time: 1120, end_time: 1440, text: '迎', punctuation: '。' },
          ],
        },
      ],
    },
  ],
}
