// One way into the program, as raw messages: stdio or HTTP, in one of the two eras of the protocol.
import type { ProcessFacts } from './process-facts.ts'

export type Era = '2025-11-25' | '2026-07-28'

/** The response to a request. */
export interface Reply {
  // biome-ignore lint/suspicious/noExplicitAny: rounds look into it freely
  result?: any
  error?: { code: number; message: string }
  /** Instead of a response: none came in time, the program has ended, or the connection broke. */
  lost?: 'late' | 'gone' | 'broken'
  /** HTTP status. */
  status?: number
}

export interface Door {
  name: string
  pid: number
  /** Never rejects. */
  request(method: string, params: Record<string, unknown>, timeoutMs: number): Promise<Reply>
  /** Undefined while the program runs; afterwards its exit code or signal. */
  ended(): string | undefined
  facts(): ProcessFacts | undefined
  /** Faults that no single request shows, such as output that is no message. */
  faults(): string[]
  /** Ends the program as its client or its system would; resolves with false if it had to be killed. */
  close(): Promise<boolean>
  kill(): Promise<void>
}

export const clientInfo = { name: 'trials', version: '1' }

/** Milliseconds in which a program must end after it was told to. */
export const closeTimeoutMs = 10_000

/** Parameters as the era wants them: since 2026-07-28 each request introduces itself. */
export function paramsOf(era: Era, params: Record<string, unknown>): Record<string, unknown> {
  if (era === '2025-11-25') return params
  const meta = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  return { ...params, _meta: meta }
}
