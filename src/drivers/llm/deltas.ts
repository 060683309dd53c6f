// Text of a streamed answer whose events contain either only the new text or all text so far.

export interface Deltas {
  add(text: string): void
  /** Characters so far. */
  length(): number
  text(): string
}

/** Events are cumulative as long as each starts with the previous one; new text alone does not do that for long. */
export function createDeltas(): Deltas {
  let joined = ''
  let last = ''
  let first: string | undefined
  let cumulative = true
  const isCumulative = () => cumulative && first !== undefined && last.length > first.length
  return {
    add(text) {
      cumulative &&= text.startsWith(last)
      joined += text
      last = text
      if (text !== '') first ??= text
    },
    length: () => (isCumulative() ? last.length : joined.length),
    text: () => (isCumulative() ? last : joined),
  }
}
