// The text models of the stand-in: from a request for text to its answer, by DashScope's protocol or by Gemini's.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type CloudError, dashscopeErrors, Refusal } from '../errors.ts'
import { readBody, sendJson } from '../http.ts'
import { createLimiter, type Limiter } from '../rate-limit.ts'
import { composeAnswer } from './answer.ts'
import { deliver } from './deliver.ts'
import type { Dialect, TextOrder } from './dialect.ts'
import { createTextFaults, type TextFault } from './faults.ts'
import { findText } from './find.ts'
import { gemini } from './gemini.ts'
import { geminiErrors } from './gemini-errors.ts'
import { GEMINI_PATH } from './gemini-request.ts'
import { textModel } from './models.ts'
import { type TextOptions, textSettings } from './options.ts'
import { qwen } from './qwen.ts'
import { newTextRequest, type TextRequest, type TextRoute } from './record.ts'

export interface TextDesk {
  records: TextRequest[]
  geminiKey: string
  inFlight(): number
  peakInFlight(): number
  fault(fault: TextFault): () => void
  set(changes: Partial<TextOptions>): void
  /** Answers what is meant for Gemini, which looks for a key of its own, and says whether it did. */
  handleGemini(request: IncomingMessage, response: ServerResponse, url: URL): boolean
  /** The same for DashScope's own route; the key is checked. */
  handle(request: IncomingMessage, response: ServerResponse, url: URL): boolean
  /** Whether a body that came by the route of many models is for one of these. */
  isMeant(body: unknown): boolean
  answer(request: IncomingMessage, response: ServerResponse, url: URL, body: unknown): Promise<void>
}

interface Visit {
  request: IncomingMessage
  response: ServerResponse
  url: URL
  dialect: Dialect
  record: TextRequest
  signal: AbortSignal
}

const MINUTE = 60_000
const TEXT_GENERATION = '/api/v1/services/aigc/text-generation/generation'

export function openTextDesk(options: TextOptions, closing: AbortSignal): TextDesk {
  const settings = textSettings(options)
  const faults = createTextFaults()
  const records: TextRequest[] = []
  const limiters = new Map<string, Limiter>()
  let perMinute = options.textRequestsPerMinute
  let inFlight = 0
  let peak = 0

  function arrive(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    of: Pick<TextRequest, 'provider' | 'route'> & { model?: string },
  ): Visit {
    peak = Math.max(peak, ++inFlight)
    const record = newTextRequest({ ...of, inFlight })
    records.push(record)
    const leaving = new AbortController()
    response.once('close', () => {
      inFlight--
      record.finished = Date.now()
      record.aborted = !response.writableFinished
      leaving.abort()
    })
    const dialect = of.provider === 'gemini' ? gemini : qwen
    return { request, response, url, dialect, record, signal: AbortSignal.any([leaving.signal, closing]) }
  }

  async function serve(visit: Visit, known?: unknown): Promise<void> {
    const { request, url, dialect, record } = visit
    try {
      const body = known ?? parsed(await readBody(request))
      const asked = (body as { model?: unknown } | null | undefined)?.model
      if (record.provider === 'dashscope' && typeof asked === 'string') record.model = asked
      if (request.headers['x-dashscope-async']) throw new Refusal(dashscopeErrors.noAsynchronousCalls)
      const order = dialect.read({ headers: request.headers, url, body }, settings)
      note(record, order)
      admit(record.model, dialect)
      const answer = composeAnswer(order, record, faults)
      await deliver({ ...visit, order, answer, settings, faults })
    } catch (error) {
      if (visit.signal.aborted || request.socket.destroyed) return
      if (visit.response.headersSent) return void request.socket.destroy()
      refuse(visit, error instanceof Refusal ? error.error : unexpected(dialect))
    }
  }

  function admit(model: string, dialect: Dialect): void {
    const limiter = limiters.get(model) ?? createLimiter(MINUTE)
    limiters.set(model, limiter)
    limiter.limit(perMinute)
    if (!limiter.admit()) throw new Refusal(dialect.tooOften(Math.ceil(limiter.freeIn() / 1000)))
  }

  function refuse({ request, response, dialect, record }: Visit, error: CloudError): void {
    record.status = error.status
    record.code = error.code
    // Only the service itself answers in frames; the gateway before it, which counts, does not.
    const fromGateway = error.status !== 400 && error.status !== 404
    const sse = record.provider === 'dashscope' && request.headers['x-dashscope-sse'] === 'enable'
    if (!sse || settings.textErrorsAs === 'status' || fromGateway) {
      dialect.refuse(request, response, error, record.at)
      return
    }
    const place = { number: 1, stream: 'sse', status: error.status } as const
    response.writeHead(200, dialect.streamHeaders('sse')).end(dialect.frame(dialect.errorBody(error), place))
  }

  return {
    records,
    geminiKey: settings.geminiKey,
    inFlight: () => inFlight,
    peakInFlight: () => peak,
    fault: faults.add,
    set(changes) {
      if ('textRequestsPerMinute' in changes) perMinute = changes.textRequestsPerMinute
      const known = Object.entries(changes).filter(([name]) => name in settings)
      Object.assign(settings, Object.fromEntries(known))
    },
    handleGemini(request, response, url) {
      const [, , model, route] = GEMINI_PATH.exec(url.pathname) ?? []
      if (!/^\/v1(beta)?\//.test(url.pathname)) return false
      const key = request.headers['x-goog-api-key']
      const known = request.method === 'POST' && model !== undefined
      const error = !key
        ? geminiErrors.noKey
        : key !== settings.geminiKey
          ? geminiErrors.apiKeyInvalid
          : undefined
      if (!error && request.method === 'GET' && /\/models$/.test(url.pathname)) {
        request.resume()
        sendJson(request, response, 200, { models: [{ name: 'models/gemini-2.5-flash' }] }, Date.now())
      } else if (error || !known) {
        request.resume()
        gemini.refuse(request, response, error ?? geminiErrors.notFound, Date.now())
      } else {
        void serve(arrive(request, response, url, { provider: 'gemini', route: route as TextRoute, model }))
      }
      return true
    },
    handle(request, response, url) {
      if (request.method !== 'POST' || url.pathname !== TEXT_GENERATION) return false
      void serve(arrive(request, response, url, { provider: 'dashscope', route: 'text-generation' }))
      return true
    },
    isMeant: isForText,
    answer(request, response, url, body) {
      const of = { provider: 'dashscope', route: 'multimodal-generation' } as const
      return serve(arrive(request, response, url, of), body)
    },
  }
}

/** A model of text, or one that nobody knows with nothing but text to work on. */
function isForText(body: unknown): boolean {
  const { model, input } = (body ?? {}) as { model?: unknown; input?: { messages?: unknown } }
  if (textModel(model)) return true
  if (typeof model !== 'string' || /asr/.test(model) || !Array.isArray(input?.messages)) return false
  const parts: unknown[] = input.messages.flatMap(message => message?.content)
  return (
    parts.length > 0 && parts.every(part => typeof (part as { text?: unknown } | null)?.text === 'string')
  )
}

function note(record: TextRequest, order: TextOrder): void {
  const { system, user, maxTokens, thinks, stream } = order
  Object.assign(record, { system, user, maxTokens, thinks, streamed: stream !== 'none', ...findText(user) })
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

function unexpected(dialect: Dialect): CloudError {
  return dialect === gemini ? geminiErrors.internal : dashscopeErrors.internalError
}
