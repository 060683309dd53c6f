// Cuts a long text into pages that all clients accept.
import { costliestTokenQuarters } from '../domain/models/model-tokens.ts'

export interface Page {
  text: string
  /** Offset of the next page in the text (UTF-16 units); absent on the last page. */
  nextOffset?: number
}

/** Clients truncate or reject results of more than 10,000 to 25,000 tokens; this leaves room for the rest of a result. */
export const maxPageTokens = 8_000

/** Returns the page that begins at `offset` and ends with a line, a sentence or at least a word. */
export function cutPage(text: string, offset = 0, limit = maxPageTokens): Page {
  const from = isInsideSurrogatePair(text, offset) ? offset - 1 : offset
  const end = pageEnd(text, from, limit)
  if (end >= text.length) return { text: text.slice(from) }
  const page = text.slice(from, end)
  const cut = lastBreak(page)
  return { text: page.slice(0, cut).trimEnd(), nextOffset: from + cut }
}

function pageEnd(text: string, from: number, limit: number): number {
  let left = limit * 4
  let at = from
  for (const character of text.slice(from, from + limit * 4 + 1)) {
    left -= costliestTokenQuarters(character)
    if (left < 0) return at
    at += character.length
  }
  return at
}

/** Finds the last break in the second half of a page, the best kind first. A blank line before a cue may be anywhere. */
function lastBreak(page: string): number {
  const half = page.length >> 1
  for (const [from, separator] of [
    [0, /\S\n\s*\n(?=(?:\d+\n)?[\d:.,]+ --> )/g],
    [half, /\S\n\s*\n/g],
    [half, /\n/g],
    [half, /[.!?…]\s|[。！？]/g],
    [half, /\s/g],
  ] as const) {
    const last = [...page.slice(from).matchAll(separator)].at(-1)
    if (last) return from + last.index + last[0].length
  }
  return page.length
}

function isInsideSurrogatePair(text: string, offset: number): boolean {
  return /[\udc00-\udfff]/.test(text[offset] ?? '') && /[\ud800-\udbff]/.test(text[offset - 1] ?? '')
}
