// What the two protocols for text have in common: an order to read, an answer to say, frames, and refusals.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CloudError } from '../errors.ts'
import type { TextModel } from './models.ts'
import type { TextSettings } from './options.ts'

export interface TextOrder {
  /** The one that answers, which need not be the one that was asked. */
  model: TextModel
  system: string
  user: string
  maxTokens: number
  thinks: boolean
  showsThoughts: boolean
  /** `array`: a JSON list that grows. */
  stream: 'none' | 'sse' | 'array'
  /** Each frame holds what is new; otherwise all so far. */
  incremental: boolean
  /** DashScope's older form, without choices. */
  plainForm: boolean
}

/** What there is to say: in one answer, or in one frame of many. */
export interface Said {
  text: string
  /** Only with what is shown of them. */
  thoughts?: string
  /** `stop`, `length`, or a reason of the provider's own; null in progress; undefined where it is left out. */
  finish: string | null | undefined
  tokens: { input: number; output: number; thoughts: number }
}

/** What a filter makes of an answer: an error, a body of its own, or another end. */
export type Filtered = { error: CloudError } | { body: object } | { finish: string }

export interface Dialect {
  /** Throws the service's refusal for a request that it would not take. */
  read(asked: Asked, settings: TextSettings): TextOrder
  say(order: TextOrder, said: Said, id: string): object
  /** One frame as it goes over the wire; `status` where it is an error. */
  frame(body: object, place: { number: number; stream: TextOrder['stream']; status?: number }): string
  /** What closes a stream that came to its end. */
  end(stream: TextOrder['stream']): string
  /** The headers of a stream. */
  streamHeaders(stream: TextOrder['stream']): Record<string, string>
  errorBody(error: CloudError): object
  send(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    body: object,
    started: number,
  ): void
  refuse(request: IncomingMessage, response: ServerResponse, error: CloudError, started: number): void
  filtered(reason: string | undefined, midway: boolean, id: string): Filtered
  /** For who comes too often; with the seconds until there is room. */
  tooOften(seconds: number): CloudError
}

export interface Asked {
  headers: IncomingMessage['headers']
  url: URL
  /** Undefined for what is no JSON. */
  body: unknown
}
