// The stand-in cloud: a server on loopback that speaks DashScope's protocol and knows the fixture recordings.
import { createServer } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadLibrary } from '../audio-matching/library.ts'
import { closeAtOnce, listenOnLoopback } from '../loopback.ts'
import { type OssEmulator, type OssOptions, startOss } from '../oss/oss.ts'
import { openRecognitions } from './asr/records.ts'
import { dashscopeErrors } from './errors.ts'
import { createFaults, type Fault, type RecognitionRequest } from './faults.ts'
import { createTaskFaults, type TaskFault } from './file-tasks/faults.ts'
import { createEars } from './file-tasks/recognise-file.ts'
import { defaultRecognitionErrors, type RecognitionErrors } from './file-tasks/recognition-errors.ts'
import type { TaskCall, TaskRecord } from './file-tasks/record.ts'
import { startTasks } from './file-tasks/tasks.ts'
import { sendError } from './http.ts'
import { createLimiter } from './rate-limit.ts'
import type { TextFault } from './text/faults.ts'
import type { TextOptions } from './text/options.ts'
import type { TextRequest } from './text/record.ts'
import { openTextDesk } from './text/text.ts'

export { dashscopeErrors } from './errors.ts'
export type { Fault, RecognitionRequest } from './faults.ts'
export type { TaskFault } from './file-tasks/faults.ts'
export type { RecognitionErrors } from './file-tasks/recognition-errors.ts'
export type { TaskCall, TaskRecord } from './file-tasks/record.ts'
export type { TextFault } from './text/faults.ts'
export { geminiErrors, retryInfo } from './text/gemini-errors.ts'
export type { TextOptions } from './text/options.ts'
export type { TextRequest } from './text/record.ts'

export interface DashscopeOptions extends TextOptions {
  /** Path of an ffmpeg binary. */
  ffmpeg: string
  /** Folder with recordings and their *.truth.json; default: the fixtures of this package. */
  fixtures?: string
  /** Default 0: any free one. */
  port?: number
  /** The one key that is accepted. */
  apiKey?: string
  /** Seconds, and seconds per second of audio. */
  latency?: { base: number; perSecond: number }
  /** Default: no limit. */
  requestsPerMinute?: number
  maxSeconds?: number
  /** Limit of a data URI. */
  maxBytes?: number
  /** Starts a stand-in for OSS beside it, which is also where temporary uploads go. */
  oss?: true | OssOptions
  /** Of a task: seconds in which it is PENDING, and seconds of work for a second of audio. */
  taskLatency?: { base: number; perSecond: number }
  /** How well whole files are heard. */
  recognitionErrors?: Partial<RecognitionErrors>
  /** A file that fails is a failed part of a task that succeeded, where the model takes lists. */
  failInSubtask?: boolean
  /** Of each kind of question about tasks; default 20. */
  pollsPerSecond?: number
  /** How long the address of a result is good; default a day. */
  resultSeconds?: number
  /** Limits of a whole file; default 12 hours and 2 GB. */
  maxFileSeconds?: number
  maxFileBytes?: number
  /** Seconds within which the address of a file must answer; default 20. */
  fetchSeconds?: number
}

type Changeable =
  | 'latency'
  | 'requestsPerMinute'
  | 'taskLatency'
  | 'recognitionErrors'
  | 'failInSubtask'
  | 'resultSeconds'
  | Exclude<keyof TextOptions, 'geminiKey'>

export interface DashscopeEmulator {
  /** As DASHSCOPE_BASE_URL expects it. */
  url: string
  apiKey: string
  /** As GEMINI_BASE_URL expects it. */
  geminiUrl: string
  geminiKey: string
  /** The recognitions that were asked for with the right key, in the order in which they came. */
  requests: RecognitionRequest[]
  /** The tasks that there are, those among them of whose making nobody heard; in the order in which they were made. */
  tasks: TaskRecord[]
  /** All requests about tasks and policies with the right key, refused ones among them. */
  taskCalls: TaskCall[]
  /** The requests for text with the right key, of all models, in the order in which they came. */
  textRequests: TextRequest[]
  textInFlight(): number
  peakTextInFlight(): number
  /** Where the option asked for it. */
  oss: OssEmulator | undefined
  inFlight(): number
  peakInFlight(): number
  /** Switches a fault on; the answer switches it off. Of several that fit a request the first counts. */
  fault(fault: Fault): () => void
  /** The same for tasks. */
  taskFault(fault: TaskFault): () => void
  /** The same for text models. */
  textFault(fault: TextFault): () => void
  set(changes: Partial<Pick<DashscopeOptions, Changeable>>): void
  /** Loads the fixtures now, so that the first recognition does not wait for them. */
  warmUp(): Promise<void>
  /** Ends all connections at once. */
  close(): Promise<void>
}

// The same from here and from dist/chunks.
const ownFixtures = fileURLToPath(new URL('../../fixtures', import.meta.url))
const RECOGNITION = '/api/v1/services/aigc/multimodal-generation/generation'

export async function startDashscope(options: DashscopeOptions): Promise<DashscopeEmulator> {
  const { ffmpeg, apiKey = 'sk-standin', fixtures = ownFixtures } = options
  const faults = createFaults()
  const limiter = createLimiter(60_000, options.requestsPerMinute)
  const closing = new AbortController()
  const service = {
    ffmpeg,
    latency: options.latency ?? { base: 0, perSecond: 0 },
    maxSeconds: options.maxSeconds ?? 300,
    maxBytes: options.maxBytes ?? 10_485_760,
    fixtures,
    faults,
    library: () => loadLibrary(path.resolve(fixtures), ffmpeg),
    admit: limiter.admit,
  }
  const oss = options.oss && (await startOss(options.oss === true ? {} : options.oss))
  const taskFaults = createTaskFaults()
  const ears = {
    ffmpeg,
    library: service.library,
    temporary: oss?.temporary,
    maxSeconds: options.maxFileSeconds ?? 12 * 3600,
    maxBytes: options.maxFileBytes ?? 2 * 1024 ** 3,
    patience: 1000 * (options.fetchSeconds ?? 20),
  }
  const taskService = {
    latency: options.taskLatency ?? { base: 0, perSecond: 0 },
    recognitionErrors: { ...defaultRecognitionErrors, ...options.recognitionErrors },
    faults: taskFaults,
    temporary: oss?.temporary,
    failInSubtask: options.failInSubtask ?? false,
    pollsPerSecond: options.pollsPerSecond ?? 20,
    resultSeconds: options.resultSeconds ?? 24 * 3600,
    recogniseFile: createEars(ears, closing.signal),
  }
  const tasks = await startTasks(taskService, closing.signal)

  const recognitions = openRecognitions(service, closing.signal)
  const text = openTextDesk(options, closing.signal)

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://standin')
    const { pathname } = url
    const key = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const refuse = (error: Parameters<typeof sendError>[2]) => {
      request.resume()
      sendError(request, response, error, Date.now())
    }
    if (text.handleGemini(request, response, url)) return
    // The gateway looks at the key before it looks at anything else.
    if (key !== apiKey) return refuse(dashscopeErrors.invalidApiKey)
    if (tasks.handle(request, response, url) || text.handle(request, response, url)) return
    if (request.method !== 'POST' || pathname !== RECOGNITION) {
      return refuse({
        status: 404,
        code: 'NotFound',
        message: `No such route: ${request.method} ${pathname}`,
      })
    }
    if (request.headers['x-dashscope-async']) return refuse(dashscopeErrors.noAsynchronousCalls)
    const { isMeant, answer } = text
    void recognitions.handle(request, response, {
      isMeant,
      answer: body => answer(request, response, url, body),
    })
  })
  const port = await listenOnLoopback(server, options.port)

  const origin = `http://127.0.0.1:${port}`
  return {
    url: `${origin}/api/v1`,
    apiKey,
    geminiUrl: `${origin}/v1beta`,
    geminiKey: text.geminiKey,
    requests: recognitions.records,
    tasks: tasks.records,
    taskCalls: tasks.calls,
    oss,
    textRequests: text.records,
    textInFlight: text.inFlight,
    peakTextInFlight: text.peakInFlight,
    inFlight: recognitions.inFlight,
    peakInFlight: recognitions.peakInFlight,
    fault: faults.add,
    taskFault: taskFaults.add,
    textFault: text.fault,
    set(changes) {
      text.set(changes)
      if (changes.latency) service.latency = changes.latency
      if ('requestsPerMinute' in changes) limiter.limit(changes.requestsPerMinute)
      if (changes.taskLatency) taskService.latency = changes.taskLatency
      if (changes.recognitionErrors)
        taskService.recognitionErrors = { ...taskService.recognitionErrors, ...changes.recognitionErrors }
      if (changes.failInSubtask !== undefined) taskService.failInSubtask = changes.failInSubtask
      if (changes.resultSeconds !== undefined) taskService.resultSeconds = changes.resultSeconds
    },
    async warmUp() {
      await service.library()
    },
    async close() {
      closing.abort()
      await Promise.all([closeAtOnce(server), tasks.close(), oss?.close()])
    },
  }
}
