// Cuts a long text into pages that no client refuses.
import { tokenQuarters } from '../domain/token-estimate.ts'

export interface Page {
  text: string
  /** Where the next page begins (UTF-16 units from the start of the text); absent on the last. */
  nextOffset?: number
}

/** Clients cut or refuse results of more than 10,000 to 25,000 tokens; half of the least leaves room for the rest. */
export const maxPageTokens = 8_000

/** The page that begins at `offset`, ended at a line, a sentence or at least a word. */
export function cutPage(text: string, offset = 0, limit = maxPageTokens): Page {
  const from = isInsidePair(text, offset) ? offset - 1 : offset
  const end = reach(text, from, limit)
  if (end >= text.length) return { text: text.slice(from) }
  const page = text.slice(from, end)
  const cut = lastBreak(page)
  return { text: page.slice(0, cut).trimEnd(), nextOffset: from + cut }
}

function reach(text: string, from: number, limit: number): number {
  let left = limit * 4
  let at = from
  for (const character of text.slice(from, from + limit * 4 + 1)) {
    left -= tokenQuarters(character)
    if (left < 0) return at
    at += character.length
  }
  return at
}

/** Looks for a place to break in the last half of a page, the best kind first. */
function lastBreak(page: string): number {
  for (const mark of [/\n/g, /[.!?…]\s|[。！？]/g, /\s/g]) {
    const last = [...page.slice(page.length >> 1).matchAll(mark)].at(-1)
    if (last) return (page.length >> 1) + last.index + last[0].length
  }
  return page.length
}

function isInsidePair(text: string, offset: number): boolean {
  return /[\udc00-\udfff]/.test(text[offset] ?? '') && /[\ud800-\udbff]/.test(text[offset - 1] ?? '')
}
