// Text models: handles text requests from body to response, in DashScope's protocol and in Gemini's.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Billing } from '../bill.ts'
import { type CloudError, dashscopeErrors, Refusal } from '../errors.ts'
import type { Forms } from '../forms.ts'
import { readBody, sendJson } from '../http.ts'
import type { GoneSettings } from '../models/gone.ts'
import { createLimiter, type Limiter } from '../rate-limit.ts'
import { type Answer, composeAnswer, tokensOf } from './answer.ts'
import { createTextFaults, type TextFault } from './faults.ts'
import { findText } from './formatting/find-text.ts'
import { geminiErrors } from './gemini/errors.ts'
import { gemini } from './gemini/gemini.ts'
import { GEMINI_PATH } from './gemini/request.ts'
import { textModel } from './models.ts'
import { type TextOptions, textSettings } from './options.ts'
import type { ParsedTextRequest, TextProtocol } from './protocol.ts'
import { qwen } from './qwen/qwen.ts'
import { newTextRequest, type TextRequest, type TextRoute } from './record.ts'
import { sendAnswer } from './response/send-answer.ts'

export interface TextService {
  records: TextRequest[]
  geminiKey: string
  inFlight(): number
  peakInFlight(): number
  fault(fault: TextFault): () => void
  set(changes: Partial<TextOptions>): void
  /** Handles a request to Gemini, with its own key check; returns false for any other. */
  handleGemini(request: IncomingMessage, response: ServerResponse, url: URL): boolean
  /** Handles a request to DashScope's text route; returns false for any other. The key is checked already. */
  handle(request: IncomingMessage, response: ServerResponse, url: URL): boolean
  /** True if a body on the shared multimodal route is for a text model. */
  accepts(body: unknown): boolean
  answer(request: IncomingMessage, response: ServerResponse, url: URL, body: unknown): Promise<void>
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  url: URL
  protocol: TextProtocol
  record: TextRequest
  signal: AbortSignal
}

const minuteMs = 60_000
const TEXT_GENERATION = '/api/v1/services/aigc/text-generation/generation'

export function createTextService(
  options: TextOptions,
  account: { gone: GoneSettings; forms: Forms; billing: Billing },
  closing: AbortSignal,
): TextService {
  const { billing, ...shared } = account
  const settings = textSettings(options, shared)
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
  ): Exchange {
    peak = Math.max(peak, ++inFlight)
    const record = newTextRequest({ ...of, inFlight })
    records.push(record)
    const disconnected = new AbortController()
    response.once('close', () => {
      inFlight--
      record.finished = Date.now()
      record.aborted = !response.writableFinished
      disconnected.abort()
    })
    const protocol = of.provider === 'gemini' ? gemini : qwen
    return {
      request,
      response,
      url,
      protocol,
      record,
      signal: AbortSignal.any([disconnected.signal, closing]),
    }
  }

  async function serve(exchange: Exchange, knownBody?: unknown): Promise<void> {
    const { request, url, protocol, record } = exchange
    try {
      const body = knownBody ?? parseJson(await readBody(request))
      const asked = (body as { model?: unknown } | null | undefined)?.model
      if (record.provider === 'dashscope' && typeof asked === 'string') record.model = asked
      if (request.headers['x-dashscope-async']) throw new Refusal(dashscopeErrors.noAsynchronousCalls)
      const parsed = protocol.read({ headers: request.headers, url, body }, settings)
      updateRecord(record, parsed)
      admit(record.model, protocol)
      const answer = composeAnswer(parsed, record, faults)
      try {
        await sendAnswer({ ...exchange, parsed, answer, settings, faults })
      } finally {
        // Words that were written are billed, whether or not they arrive.
        if (record.status === 200) charge(record, parsed, answer)
      }
    } catch (error) {
      if (exchange.signal.aborted || request.socket.destroyed) return
      if (exchange.response.headersSent) return void request.socket.destroy()
      refuse(exchange, error instanceof Refusal ? error.error : unexpected(protocol))
    }
  }

  function charge(record: TextRequest, { model }: ParsedTextRequest, answer: Answer): void {
    const outputTokens = answer.thoughtTokens + tokensOf(record.answer)
    const use = { seconds: 0, inputTokens: answer.inputTokens, outputTokens }
    billing.add({ kind: 'text', model: model.name, ...use }, model.price)
  }

  function admit(model: string, protocol: TextProtocol): void {
    const limiter = limiters.get(model) ?? createLimiter(minuteMs)
    limiters.set(model, limiter)
    limiter.setLimit(perMinute)
    if (!limiter.admit()) throw new Refusal(protocol.rateLimited(Math.ceil(limiter.freeIn() / 1000)))
  }

  function refuse({ request, response, protocol, record }: Exchange, error: CloudError): void {
    record.status = error.status
    record.code = error.code
    // Only the service itself answers in frames; the gateway in front of it does not.
    const fromGateway = error.nested || (error.status !== 400 && error.status !== 404)
    const sse = record.provider === 'dashscope' && request.headers['x-dashscope-sse'] === 'enable'
    if (!sse || settings.textErrorsAs === 'status' || fromGateway) {
      protocol.refuse(request, response, error, record.at)
      return
    }
    const frame = { number: 1, stream: 'sse', status: error.status } as const
    const { 'content-type': type, ...others } = protocol.streamHeaders('sse')
    const isFramed = settings.textErrorsAs === 'framed'
    response
      .writeHead(isFramed ? error.status : 200, {
        ...others,
        'content-type': isFramed ? 'application/json' : type,
      })
      .end(protocol.frame(protocol.errorBody(error), frame))
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
    accepts,
    answer(request, response, url, body) {
      const of = { provider: 'dashscope', route: 'multimodal-generation' } as const
      return serve(arrive(request, response, url, of), body)
    },
  }
}

/** True for a text model, and for an unknown model with text-only content. */
function accepts(body: unknown): boolean {
  const { model, input } = (body ?? {}) as { model?: unknown; input?: { messages?: unknown } }
  if (textModel(model)) return true
  if (typeof model !== 'string' || /asr/.test(model) || !Array.isArray(input?.messages)) return false
  const parts: unknown[] = input.messages.flatMap(message => message?.content)
  return (
    parts.length > 0 && parts.every(part => typeof (part as { text?: unknown } | null)?.text === 'string')
  )
}

function updateRecord(record: TextRequest, parsed: ParsedTextRequest): void {
  const { system, user, maxTokens, thinks, stream } = parsed
  Object.assign(record, { system, user, maxTokens, thinks, streamed: stream !== 'none', ...findText(user) })
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

function unexpected(protocol: TextProtocol): CloudError {
  return protocol === gemini ? geminiErrors.internal : dashscopeErrors.internalError
}
