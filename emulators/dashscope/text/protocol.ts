// The interface of both text protocols: parsing requests, and building bodies, frames and errors.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CloudError } from '../errors.ts'
import type { Forms } from '../forms.ts'
import type { TextModel } from './models.ts'
import type { TextSettings } from './options.ts'

export interface ParsedTextRequest {
  /** The model that answers; a redirected model differs from the requested one. */
  model: TextModel
  system: string
  user: string
  maxTokens: number
  thinks: boolean
  showsThoughts: boolean
  /** `array`: an incrementally sent JSON array. */
  stream: 'none' | 'sse' | 'array'
  /** Each frame contains only new text; otherwise all text so far. */
  incremental: boolean
  /** DashScope's older form, without choices. */
  plainForm: boolean
}

/** The content of a whole answer, or of one frame. */
export interface AnswerPart {
  text: string
  /** Only if thoughts are shown. */
  thoughts?: string
  /** `stop`, `length`, or a reason of the provider; null while in progress; undefined omits the field. */
  finish: string | null | undefined
  tokens: { input: number; output: number; thoughts: number }
}

/** The response to blocked content: an error, a body, or another finish reason. */
export type BlockedAnswer = { error: CloudError } | { body: object } | { finish: string }

export interface TextProtocol {
  /** Throws a `Refusal` for an invalid request. */
  read(request: RawRequest, settings: TextSettings): ParsedTextRequest
  body(request: ParsedTextRequest, part: AnswerPart, id: string): object
  /** A frame as sent; `status` marks an error frame. */
  frame(body: object, of: { number: number; stream: ParsedTextRequest['stream']; status?: number }): string
  /** The end of a complete stream. */
  end(stream: ParsedTextRequest['stream']): string
  /** The headers of a stream. */
  streamHeaders(stream: ParsedTextRequest['stream']): Record<string, string>
  errorBody(error: CloudError): object
  send(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    body: object,
    started: number,
  ): void
  refuse(request: IncomingMessage, response: ServerResponse, error: CloudError, started: number): void
  blocked(of: { reason: string | undefined; midway: boolean; id: string; forms: Forms }): BlockedAnswer
  /** The rate limit error, with the seconds until the next request is admitted. */
  rateLimited(seconds: number): CloudError
}

export interface RawRequest {
  headers: IncomingMessage['headers']
  url: URL
  /** Undefined if it is not JSON. */
  body: unknown
}
