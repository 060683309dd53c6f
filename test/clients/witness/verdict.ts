// The report of a run on the findings of its witness.
import type { Result } from '../table.ts'
import type { Findings } from './conversation.ts'

/** `calls`: how many results of tool calls the witness must have heard, at least. */
export function verdict({ problems, answeredCalls }: Findings, calls: number): Result {
  const few = answeredCalls < calls ? [`only ${answeredCalls} of ${calls} calls have a result`] : []
  const found = [...few, ...problems]
  const detail =
    found.length === 0 ? '0' : `${found.length}: ${[...new Set(found)].slice(0, 5).join('\n    ')}`
  return { scenario: 'protocol', ok: found.length === 0, detail }
}

export function summary({ messages, answeredCalls, cutOff }: Findings): string {
  const open =
    cutOff.length === 0 ? '' : ` The killed server left ${cutOff.length} open: ${cutOff.join(', ')}.`
  return `The witness heard ${messages} messages, and results of ${answeredCalls} calls.${open}`
}
