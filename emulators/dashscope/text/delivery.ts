// One answer on its way to one client: what is known of it, when its parts are due, and what they say.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, tokensOf } from './answer.ts'
import type { Dialect, Said, TextOrder } from './dialect.ts'
import type { TextFaults } from './faults.ts'
import type { TextSettings } from './options.ts'
import type { TextRequest } from './record.ts'

export interface Delivery {
  request: IncomingMessage
  response: ServerResponse
  record: TextRequest
  order: TextOrder
  dialect: Dialect
  answer: Answer
  settings: TextSettings
  faults: TextFaults
  /** What the answer is known by. */
  id: string
  /** Milliseconds since 1970 when the work began, and how long it takes to the first word; both in milliseconds. */
  started: number
  slowness: number
  signal: AbortSignal
}

/** Waits until so many milliseconds of work are done. */
export async function until({ started, slowness, signal }: Delivery, work: number): Promise<void> {
  const due = started + slowness + work
  if (due > Date.now()) await sleep(due - Date.now(), undefined, { signal })
}

/** `output`: the tokens that are written by now. */
export function saidOf(
  { answer, order }: Delivery,
  text: string,
  finish: Said['finish'],
  output = tokensOf(text),
): Said {
  const { inputTokens: input, thoughtTokens: thoughts } = answer
  return {
    text,
    finish,
    tokens: { input, output, thoughts },
    ...(order.showsThoughts && { thoughts: answer.thoughts }),
  }
}
