// A server that answers as a test tells it, for DashScope's tasks and the files that come of them; and true answers.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Seen {
  method: string
  /** With its query. */
  path: string
  headers: IncomingMessage['headers']
  body: string
}

type Answer = (seen: Seen, response: ServerResponse, request: IncomingMessage) => void

export interface TaskServer {
  origin: string
  /** As DASHSCOPE_BASE_URL has it. */
  baseUrl: string
  /** Since the last change of the answer. */
  seen: Seen[]
  /** What is done with a request from now on. */
  answer(how: Answer): void
  /** The same status and body for every request. */
  answers(status: number, body: object | string): void
  /** One answer for each request in turn; the last one stays. */
  inTurn(...how: Answer[]): void
  close(): Promise<void>
}

export const say =
  (status: number, body: object | string): Answer =>
  (_, response) =>
    void response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))

export const hangUp: Answer = (_, __, request) => void request.socket.destroy()

export async function startTaskServer(port = 0): Promise<TaskServer> {
  let how: Answer = say(500, '')
  let seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    request.on('error', () => {})
    for await (const piece of request) pieces.push(piece)
    const { method = '', url: path = '', headers } = request
    seen.push({ method, path, headers, body: Buffer.concat(pieces).toString() })
    how(seen.at(-1)!, response, request)
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const answer = (next: Answer) => {
    how = next
    seen = []
  }
  return {
    origin,
    baseUrl: `${origin}/api/v1`,
    answer,
    get seen() {
      return seen
    },
    answers: (status, body) => answer(say(status, body)),
    inTurn(...all) {
      let turn = 0
      answer((...request) => all[Math.min(turn++, all.length - 1)]!(...request))
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

/** An answer to a question about a task. */
export const task = (task_status: string, output: object = {}, rest: object = {}) => ({
  request_id: '7574ee8f-38a3-4b1e-9280-11c33ab46e51',
  output: { task_id: 't', task_status, ...times, ...output },
  ...rest,
})

/** The part of a task of the fun-asr kind that is done. */
export const donePart = (transcription_url: string) => ({
  file_url: 'https://b/heard.mp3',
  transcription_url,
  subtask_status: 'SUCCEEDED',
})

/** A task of the fun-asr kind that is done. */
export const listTask = (transcription_url: string, usage: object = { duration: 9 }) =>
  task(
    'SUCCEEDED',
    {
      results: [donePart(transcription_url)],
      task_metrics: { TOTAL: 1, SUCCEEDED: 1, FAILED: 0 },
    },
    { usage },
  )

/** A task of the qwen3-asr kind that is done. */
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
