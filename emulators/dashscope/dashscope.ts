// Emulator of DashScope and Gemini: a server on loopback that recognises the fixture recordings.
import { createServer } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadLibrary } from '../audio-matching/library.ts'
import { closeAtOnce, listenOnLoopback } from '../loopback.ts'
import { type OssEmulator, type OssOptions, startOss } from '../oss/oss.ts'
import { createAsrService } from './asr/records.ts'
import { type Bill, createBilling } from './bill.ts'
import { countByModel, uploadsOf } from './counts.ts'
import { dashscopeErrors } from './errors.ts'
import { createFaults, type Fault, type RecognitionRequest } from './faults.ts'
import { createTaskFaults, type TaskFault } from './file-tasks/faults.ts'
import { createFileRecogniser } from './file-tasks/recognise-file.ts'
import { defaultRecognitionErrors, type RecognitionErrors } from './file-tasks/recognition-errors.ts'
import type { TaskCall, TaskRecord } from './file-tasks/record.ts'
import type { TaskLatency } from './file-tasks/run-task.ts'
import { startTaskService } from './file-tasks/tasks.ts'
import { type Forms, recordedForms } from './forms.ts'
import { sendError } from './http.ts'
import { changeGone, type GoneOptions, goneSettings } from './models/gone.ts'
import { createLimiter } from './rate-limit.ts'
import type { TextFault } from './text/faults.ts'
import type { TextOptions } from './text/options.ts'
import type { TextRequest } from './text/record.ts'
import { createTextService } from './text/text.ts'

export type { Bill, BillEntry } from './bill.ts'
export { dashscopeErrors } from './errors.ts'
export type { Fault, RecognitionRequest } from './faults.ts'
export type { TaskFault } from './file-tasks/faults.ts'
export type { RecognitionErrors } from './file-tasks/recognition-errors.ts'
export type { TaskCall, TaskRecord } from './file-tasks/record.ts'
export { type Forms, recordedForms, tidyForms } from './forms.ts'
export { type GoneForm, retiredInChina } from './models/gone.ts'
export type { TextFault } from './text/faults.ts'
export { geminiErrors, retryInfo } from './text/gemini/errors.ts'
export type { TextOptions } from './text/options.ts'
export type { TextRequest } from './text/record.ts'

export interface DashscopeOptions extends TextOptions, GoneOptions {
  /** Path of an ffmpeg binary. */
  ffmpeg: string
  /** Folder with recordings and their *.truth.json; default: the fixtures of this package. */
  fixtures?: string
  /** Default 0: any free port. */
  port?: number
  /** Default: `sk-emulator`. Other keys are refused, except `otherKey`. */
  apiKey?: string
  otherKey?: string | undefined
  /** Seconds per request, and seconds per second of audio. */
  latency?: { base: number; perSecond: number }
  /** Default: no limit. */
  requestsPerMinute?: number
  maxSeconds?: number
  /** Maximum length of a data URI. */
  maxBytes?: number
  /** Starts an OSS emulator too, which also receives temporary uploads. */
  oss?: true | OssOptions
  taskLatency?: TaskLatency
  /** How answers look where recordings differ from the documentation; default: `recordedForms`. */
  forms?: Partial<Forms>
  /** Errors in the recognition of whole files. */
  recognitionErrors?: Partial<RecognitionErrors>
  /** A failed file fails only its subtask, if the model takes lists of files: the task itself succeeds. */
  failInSubtask?: boolean
  /** Rate limit of each kind of task request; default: 20. */
  pollsPerSecond?: number
  /** Lifetime of a result URL; default: one day. */
  resultSeconds?: number
  /** Limits of a whole file; default: 12 hours and 2 GB. */
  maxFileSeconds?: number
  maxFileBytes?: number
  /** Timeout for downloading a file; default: 20. */
  fetchSeconds?: number
}

type Changeable =
  | 'latency'
  | 'requestsPerMinute'
  | 'taskLatency'
  | 'recognitionErrors'
  | 'failInSubtask'
  | 'resultSeconds'
  | 'forms'
  | keyof GoneOptions
  | Exclude<keyof TextOptions, 'geminiKey'>

export interface DashscopeEmulator {
  /** Value for DASHSCOPE_BASE_URL. */
  url: string
  apiKey: string
  /** Value for GEMINI_BASE_URL. */
  geminiUrl: string
  geminiKey: string
  /** Recognition requests with the right key, in order of arrival. */
  requests: RecognitionRequest[]
  /** All tasks in order of creation, including those whose submit response was lost. */
  tasks: TaskRecord[]
  /** All requests about tasks and upload policies with the right key, including refused ones. */
  taskCalls: TaskCall[]
  /** Text requests to all models with the right key, in order of arrival. */
  textRequests: TextRequest[]
  /** Each answered request and finished task with its cost; nothing for what was refused or failed. */
  bill(): Bill
  /** Requests by model, refused ones too: recognition, submits and text. */
  requestCounts(): Record<string, number>
  /** Files that a store of `oss` received, and the bytes of their requests. */
  uploads(): { files: number; bytes: number }
  textInFlight(): number
  peakTextInFlight(): number
  /** Set if `oss` was given. */
  oss: OssEmulator | undefined
  inFlight(): number
  peakInFlight(): number
  /** Injects a fault; the returned function removes it. If several match a request, the first one applies. */
  fault(fault: Fault): () => void
  /** The same for file tasks. */
  taskFault(fault: TaskFault): () => void
  /** The same for text models. */
  textFault(fault: TextFault): () => void
  set(changes: Partial<Pick<DashscopeOptions, Changeable>>): void
  /** Loads the recordings now, so that the first recognition does not wait for them. */
  warmUp(): Promise<void>
  /** Closes all connections immediately. */
  close(): Promise<void>
}

// The same path from this file and from dist/chunks.
const ownFixtures = fileURLToPath(new URL('../../fixtures', import.meta.url))
const recognitionPath = '/api/v1/services/aigc/multimodal-generation/generation'

/** A temporary store whose uploads every model may read, where the forms say so. */
function withForms(temporary: OssEmulator['temporary'], forms: Forms): OssEmulator['temporary'] {
  const isOpen = () => forms.temporaryUploads === 'anyModel'
  return { ...temporary, modelOf: key => (isOpen() ? undefined : temporary.modelOf(key)) }
}

export async function startDashscope(options: DashscopeOptions): Promise<DashscopeEmulator> {
  const { ffmpeg, apiKey = 'sk-emulator', fixtures = ownFixtures } = options
  const faults = createFaults()
  const limiter = createLimiter(60_000, options.requestsPerMinute)
  const closing = new AbortController()
  const forms = { ...recordedForms, ...options.forms }
  const account = { forms, gone: goneSettings(options), billing: createBilling() }
  const service = {
    ...account,
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
  const recogniserOptions = {
    ffmpeg,
    library: service.library,
    temporary: oss && withForms(oss.temporary, forms),
    maxSeconds: options.maxFileSeconds ?? 12 * 3600,
    maxBytes: options.maxFileBytes ?? 2 * 1024 ** 3,
    timeoutMs: 1000 * (options.fetchSeconds ?? 20),
  }
  const taskService = {
    ...account,
    latency: options.taskLatency ?? { base: 0, perSecond: 0 },
    recognitionErrors: { ...defaultRecognitionErrors, ...options.recognitionErrors },
    faults: taskFaults,
    temporary: oss?.temporary,
    failInSubtask: options.failInSubtask ?? false,
    pollsPerSecond: options.pollsPerSecond ?? 20,
    resultSeconds: options.resultSeconds ?? 24 * 3600,
    recogniseFile: createFileRecogniser(recogniserOptions, closing.signal),
  }
  const tasks = await startTaskService(taskService, closing.signal)

  const recognitions = createAsrService(service, closing.signal)
  const text = createTextService(options, account, closing.signal)

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://emulator')
    const { pathname } = url
    const key = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const refuse = (error: Parameters<typeof sendError>[2]) => {
      request.resume()
      sendError(request, response, error, Date.now())
    }
    if (text.handleGemini(request, response, url)) return
    // The gateway checks the key first.
    if (key !== apiKey && (key === undefined || key !== options.otherKey))
      return refuse(dashscopeErrors.invalidApiKey)
    if (tasks.handle(request, response, url) || text.handle(request, response, url)) return
    if (request.method !== 'POST' || pathname !== recognitionPath) {
      return refuse({
        status: 404,
        code: 'NotFound',
        message: `No such route: ${request.method} ${pathname}`,
      })
    }
    if (request.headers['x-dashscope-async']) return refuse(dashscopeErrors.noAsynchronousCalls)
    void recognitions.handle(request, response, {
      accepts: text.accepts,
      answer: body => text.answer(request, response, url, body),
    })
  })
  // Recognition may block the event loop for longer than the default of 5 s.
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
    bill: account.billing.bill,
    requestCounts: () =>
      countByModel([
        ...recognitions.records,
        ...tasks.calls.filter(({ kind }) => kind === 'submit'),
        ...text.records,
      ]),
    uploads: () => uploadsOf(oss?.requests ?? []),
    textInFlight: text.inFlight,
    peakTextInFlight: text.peakInFlight,
    inFlight: recognitions.inFlight,
    peakInFlight: recognitions.peakInFlight,
    fault: faults.add,
    taskFault: taskFaults.add,
    textFault: text.fault,
    set(changes) {
      text.set(changes)
      changeGone(account.gone, changes)
      Object.assign(forms, changes.forms)
      if (changes.latency) service.latency = changes.latency
      if ('requestsPerMinute' in changes) limiter.setLimit(changes.requestsPerMinute)
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
