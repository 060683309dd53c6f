// The text of an answer that comes in frames, each with what is new or, from some models, with all there is so far.

export interface Deltas {
  add(text: string): void
  /** How many characters there are so far. */
  length(): number
  text(): string
}

/** Frames are taken for whole texts as long as each begins with the one before; nobody's news does that for long. */
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
