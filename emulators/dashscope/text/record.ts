// Records of text requests, for fault conditions and for tests.

export type TextRoute =
  | 'text-generation'
  | 'multimodal-generation'
  | 'generateContent'
  | 'streamGenerateContent'

/** Times are milliseconds since 1970. */
export interface TextRequest {
  at: number
  provider: 'dashscope' | 'gemini'
  route: TextRoute
  /** As requested; empty if the request could not be parsed. */
  model: string
  system: string
  user: string
  /** The text to format in the user's message; faults can target it. */
  text: string
  /** The preceding context in the user's message. */
  before: string
  streamed: boolean
  /** Token limit of the request. */
  maxTokens?: number
  /** The model thinks before it writes. */
  thinks: boolean
  /** Status of the response, also from an error frame of a stream that began with 200; 0 without a response. */
  status: number
  /** Error code of the response. */
  code?: string
  /** The text sent so far. */
  answer: string
  /** Number of text requests in flight on arrival, including this one. */
  inFlight: number
  finished?: number
  /** The client disconnected before the end. */
  aborted: boolean
}

export function newTextRequest(
  of: Pick<TextRequest, 'provider' | 'route' | 'inFlight'> & { model?: string; at?: number },
): TextRequest {
  return {
    at: Date.now(),
    model: '',
    system: '',
    user: '',
    text: '',
    before: '',
    streamed: false,
    thinks: false,
    status: 0,
    answer: '',
    aborted: false,
    ...of,
  }
}
