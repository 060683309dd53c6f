// What the stand-in remembers of a request for text, for its faults and for tests that look at it.

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
  /** As it was asked for; empty while the request is not understood. */
  model: string
  system: string
  user: string
  /** What was found in the user's message to work on; the misbehaviours can be aimed at it. */
  text: string
  /** What was found before it. */
  before: string
  streamed: boolean
  /** What the request allows. */
  maxTokens?: number
  /** Whether the model thinks before it writes. */
  thinks: boolean
  /** What was told, be it in a frame of a stream that began with 200; 0 before, and when nothing was. */
  status: number
  /** The code of an error that was told. */
  code?: string
  /** What was written so far, and in the end: what the client could read. */
  answer: string
  /** Text requests that were under way when this one came, itself among them. */
  inFlight: number
  finished?: number
  /** The client left before the end. */
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
