// An answer that is being sent: its request, its timing and its parts.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, tokensOf } from '../answer.ts'
import type { TextFaults } from '../faults.ts'
import type { TextSettings } from '../options.ts'
import type { AnswerPart, ParsedTextRequest, TextProtocol } from '../protocol.ts'
import type { TextRequest } from '../record.ts'

export interface PendingAnswer {
  request: IncomingMessage
  response: ServerResponse
  record: TextRequest
  parsed: ParsedTextRequest
  protocol: TextProtocol
  answer: Answer
  settings: TextSettings
  faults: TextFaults
  /** Request id in the response. */
  id: string
  /** Start of the work, in milliseconds since 1970. */
  started: number
  /** Additional latency of a `slow` fault. */
  extraMs: number
  signal: AbortSignal
}

/** Waits until `workMs` of work are done. */
export async function waitUntil({ started, extraMs, signal }: PendingAnswer, workMs: number): Promise<void> {
  const due = started + extraMs + workMs
  if (due > Date.now()) await sleep(due - Date.now(), undefined, { signal })
}

/** `output`: tokens written so far. */
export function partOf(
  { answer, parsed }: PendingAnswer,
  text: string,
  finish: AnswerPart['finish'],
  output = tokensOf(text),
): AnswerPart {
  const { inputTokens: input, thoughtTokens: thoughts } = answer
  return {
    text,
    finish,
    tokens: { input, output, thoughts },
    ...(parsed.showsThoughts && { thoughts: answer.thoughts }),
  }
}
