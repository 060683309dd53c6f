// Emulator of qwen3-asr-service's DashScope form: file tasks and nothing else, on a machine of the user's own.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadLibrary } from '../audio-matching/library.ts'
import { closeAtOnce, listenOnLoopback } from '../loopback.ts'
import { TaskFailure } from './file-tasks/fetch-file.ts'
import { createFileRecogniser } from './file-tasks/recognise-file.ts'
import type { RecognisedChannel } from './file-tasks/result-file.ts'
import { toSentences } from './file-tasks/sentences.ts'
import { readBody } from './http.ts'

export interface OwnServerOptions {
  /** Path of an ffmpeg binary. */
  ffmpeg: string
  /** Default: none is needed. */
  apiKey?: string
  /** False: the image for CPUs, whose sentences have no words. */
  wordTimes?: boolean
  /** False: started without a speaker model, so that sentences have no speaker. */
  speakers?: boolean
  /** False: it refuses private addresses, as without `--compat-fetch-allow-private`. */
  fetches?: boolean
  /** Base of the result addresses, as `--compat-external-base-url` sets it. */
  externalUrl?: string
}

export interface OwnTask {
  id: string
  model: string
  url: string
  parameters: Record<string, unknown>
  state: 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED'
  code?: string
  result?: object
}

export interface OwnServer {
  /** Value for DASHSCOPE_BASE_URL. */
  url: string
  /** All tasks, also forgotten ones. */
  tasks: OwnTask[]
  /** Paths of requests that it does not know, such as those of Model Studio alone. */
  unknownPaths: string[]
  /** The list of tasks is in memory: a restart loses the next task that is submitted. */
  loseNext(): void
  close(): Promise<void>
}

interface Answer {
  status: number
  body: object
}

const base = '/compat/dashscope/api/v1'
const fixtures = fileURLToPath(new URL('../../fixtures', import.meta.url))
const refuse = (status: number, code: string): Answer => ({
  status,
  body: { code, message: code, request_id: randomUUID() },
})

export async function startOwnServer(options: OwnServerOptions): Promise<OwnServer> {
  const { ffmpeg, apiKey } = options
  const tasks: OwnTask[] = []
  const known = new Map<string, OwnTask>()
  const unknownPaths: string[] = []
  let isLosing = false
  const closing = new AbortController()
  const limits = { maxSeconds: 4 * 3600, maxBytes: 2 * 1024 ** 3, timeoutMs: 20_000, temporary: undefined }
  const library = () => loadLibrary(path.resolve(fixtures), ffmpeg)
  const recognise = createFileRecogniser({ ffmpeg, library, ...limits }, closing.signal)

  async function run(task: OwnTask): Promise<void> {
    task.state = 'RUNNING'
    try {
      if (options.fetches === false) throw new TaskFailure('InvalidFile.DownloadFailed')
      const [channel] = await recognise(task.url, task.model, [0])
      task.result = resultOf(task, channel!, options)
      task.state = 'SUCCEEDED'
    } catch (error) {
      task.code = error instanceof TaskFailure ? 'InvalidFile.DownloadFailed' : 'InternalError'
      task.state = 'FAILED'
    }
  }

  function submit({ model, input, parameters = {} }: Partial<OwnTask> & { input?: { file_urls?: unknown } }) {
    const urls = input?.file_urls
    if (!Array.isArray(urls) || urls.length !== 1) return refuse(400, 'InvalidParameter')
    const task: OwnTask = {
      id: randomUUID(),
      model: String(model),
      url: urls[0],
      parameters,
      state: 'PENDING',
    }
    tasks.push(task)
    if (!isLosing) known.set(task.id, task)
    isLosing = false
    void run(task)
    return {
      status: 200,
      body: { output: { task_status: 'PENDING', task_id: task.id }, request_id: randomUUID() },
    }
  }

  async function answer({ method, url = '', headers }: IncomingMessage, body: Buffer): Promise<Answer> {
    if (apiKey !== undefined && headers.authorization !== `Bearer ${apiKey}`)
      return refuse(401, 'InvalidApiKey')
    if (method === 'POST' && url === `${base}/services/audio/asr/transcription`)
      return headers['x-dashscope-async'] === 'enable'
        ? submit(JSON.parse(body.toString()))
        : refuse(400, 'InvalidParameter')
    const [, id, isResult] = /\/tasks\/([^/]+)(\/transcription\/0)?$/.exec(url) ?? []
    if (!url.startsWith(base) || id === undefined) {
      unknownPaths.push(`${method} ${url}`)
      return { status: 404, body: { detail: 'Not Found' } }
    }
    const task = known.get(id)
    if (!task) return refuse(404, 'UNKNOWN_TASK')
    if (isResult) return { status: 200, body: task.result! }
    const resultBase = options.externalUrl ?? `http://${headers.host}${base}`
    return { status: 200, body: describe(task, `${resultBase}/tasks/${id}/transcription/0`) }
  }

  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const { status, body } = await answer(request, await readBody(request))
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  const port = await listenOnLoopback(server)
  return {
    url: `http://127.0.0.1:${port}${base}`,
    tasks,
    unknownPaths,
    loseNext() {
      isLosing = true
    },
    async close() {
      closing.abort()
      await closeAtOnce(server)
    },
  }
}

function describe({ id, state, url, code }: OwnTask, resultUrl: string): object {
  const part = {
    file_url: url,
    subtask_status: state,
    transcription_url: state === 'SUCCEEDED' ? resultUrl : null,
    code: code ?? null,
    message: code ?? null,
  }
  return {
    output: {
      task_id: id,
      task_status: state,
      results: [part],
      task_metrics: {
        TOTAL: 1,
        SUCCEEDED: Number(state === 'SUCCEEDED'),
        FAILED: Number(state === 'FAILED'),
      },
    },
    usage: { duration: 0 },
    request_id: randomUUID(),
  }
}

/** Words come from an aligner: without blanks and punctuation. */
function resultOf(
  { url, parameters }: OwnTask,
  { parts, seconds }: RecognisedChannel,
  { wordTimes = true, speakers = true }: OwnServerOptions,
): object {
  const isDiarized = speakers && parameters.diarization_enabled === true
  const sentences = toSentences(parts, { pause: 0.7, punctuation: true, speakers: isDiarized })
  const people = [...new Set(sentences.map(({ words }) => words[0]!.person))]
  const ms = (time: number) => Math.round(Math.max(0, time) * 1000)
  const textOf = ({ words, joiner }: (typeof sentences)[number]) => words.map(({ text }) => text).join(joiner)
  return {
    file_url: url,
    properties: {
      audio_format: 'wav',
      channels: [0],
      original_sampling_rate: 16_000,
      original_duration_in_milliseconds: ms(seconds),
    },
    transcripts: [
      {
        channel_id: 0,
        content_duration_in_milliseconds: ms(seconds),
        text: sentences.map(textOf).join(sentences[0]?.joiner ?? ' '),
        sentences: sentences.map((sentence, i) => ({
          begin_time: ms(sentence.words[0]!.start),
          end_time: ms(sentence.words.at(-1)!.end),
          text: textOf(sentence),
          sentence_id: i + 1,
          ...(isDiarized && { speaker_id: people.indexOf(sentence.words[0]!.person) }),
          ...(wordTimes && {
            words: sentence.words.map(({ text, start, end }) => ({
              begin_time: ms(start),
              end_time: ms(end),
              text: text.replace(/[^\p{L}\p{N}'’-]/gu, ''),
              punctuation: '',
            })),
          }),
        })),
      },
    ],
  }
}
