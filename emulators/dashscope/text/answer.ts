// Composes the answer of a text model: formatted by rule or corrupted by a fault, within the token limit.
import { corrupt } from './corruption/corrupt.ts'
import { type TextFaults, writingFaults } from './faults.ts'
import { asksToRemoveFillers } from './formatting/fillers.ts'
import { format } from './formatting/format.ts'
import { countWords, piecesOf } from './formatting/words.ts'
import type { ParsedTextRequest } from './protocol.ts'
import type { TextRequest } from './record.ts'

export interface Answer {
  text: string
  thoughts: string
  /** `stop`, `length`, or a reason of the provider's own. */
  finish: string
  inputTokens: number
  thoughtTokens: number
}

const thinkingText = 'The text needs punctuation and paragraphs, but all of its words have to stay the same.'

export function composeAnswer(request: ParsedTextRequest, record: TextRequest, faults: TextFaults): Answer {
  const formatted = format(record.text, { clean: asksToRemoveFillers(request.system) })
  const fault = faults.hit(record, ...writingFaults)
  const { text, finish } = fault ? corrupt(formatted, fault, record) : { text: formatted, finish: 'stop' }
  const thoughts = request.thinks ? thinkingText : ''
  const thoughtTokens = tokensOf(thoughts)
  const tokensLeft = Math.max(0, request.maxTokens - thoughtTokens)
  const fits = tokensOf(text) <= tokensLeft
  return {
    thoughts,
    thoughtTokens,
    inputTokens: inputTokens(request),
    text: fits ? text : truncateToTokens(text, tokensLeft),
    finish: fits ? finish : 'length',
  }
}

/** Instructions and roles add a few tokens. */
export function inputTokens({ system, user }: ParsedTextRequest): number {
  return tokensOf(system) + tokensOf(user) + (system ? 8 : 4)
}

// Approximation: one token per five characters of a word, or per Chinese character.
export function tokensOf(text: string): number {
  return piecesOf(text, 1).reduce((sum, piece) => sum + Math.ceil(piece.trim().length / 5), 0)
}

function truncateToTokens(text: string, tokens: number): string {
  let kept = ''
  let left = tokens
  for (const piece of piecesOf(text, 1)) {
    left -= tokensOf(piece)
    if (left < 0) break
    kept += piece
  }
  return kept.trimEnd()
}

/** Seconds that writing the answer takes. */
export function writingSeconds({ text }: Answer, latency: { base: number; perWord: number }): number {
  return latency.base + latency.perWord * countWords(text)
}
