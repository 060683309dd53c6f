// What a text model has to say to an order: its words by rule or by a fault, within the tokens that it may use.

import { spoil } from './corrupt.ts'
import type { TextOrder } from './dialect.ts'
import { type TextFaults, WRITING } from './faults.ts'
import { wantsNoFillers } from './fillers.ts'
import type { TextRequest } from './record.ts'
import { countWords, piecesOf } from './units.ts'
import { format } from './write.ts'

export interface Answer {
  text: string
  thoughts: string
  /** `stop`, `length`, or a reason of the provider's own. */
  finish: string
  inputTokens: number
  thoughtTokens: number
}

const THOUGHTS = 'The text is to get its marks and paragraphs, and its words are to stay as they are.'

export function composeAnswer(order: TextOrder, record: TextRequest, faults: TextFaults): Answer {
  const honest = format(record.text, { clean: wantsNoFillers(order.system) })
  const fault = faults.hit(record, ...WRITING)
  const { text, finish } = fault ? spoil(honest, fault, record) : { text: honest, finish: 'stop' }
  const thoughts = order.thinks ? THOUGHTS : ''
  const thoughtTokens = tokensOf(thoughts)
  const room = Math.max(0, order.maxTokens - thoughtTokens)
  const whole = tokensOf(text) <= room
  return {
    thoughts,
    thoughtTokens,
    inputTokens: inputTokens(order),
    text: whole ? text : upTo(text, room),
    finish: whole ? finish : 'length',
  }
}

/** Instructions and roles take a few of their own. */
export function inputTokens({ system, user }: TextOrder): number {
  return tokensOf(system) + tokensOf(user) + (system ? 8 : 4)
}

// Roughly: a token for five letters of a word, and for each sign of Chinese.
export function tokensOf(text: string): number {
  return piecesOf(text, 1).reduce((sum, piece) => sum + Math.ceil(piece.trim().length / 5), 0)
}

function upTo(text: string, tokens: number): string {
  let kept = ''
  let left = tokens
  for (const piece of piecesOf(text, 1)) {
    left -= tokensOf(piece)
    if (left < 0) break
    kept += piece
  }
  return kept.trimEnd()
}

/** Seconds of work for it. */
export function workFor({ text }: Answer, latency: { base: number; perWord: number }): number {
  return latency.base + latency.perWord * countWords(text)
}
