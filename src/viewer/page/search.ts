// Search in the rows: without regard to case, accents and the width of letters.
import type { ViewerRow } from './contract.ts'

export interface Hit {
  row: number
  /** `[from, to)` in the text of the row. */
  from: number
  to: number
}

/** More are not marked: such a word is everywhere. */
export const maxHits = 10_000

interface Folded {
  text: string
  /** Place in the original of each unit of the folded text; undefined where both are alike. */
  places?: number[]
}

export function createSearch(rows: readonly ViewerRow[]): (query: string) => Hit[] {
  /** Folded when it is searched first. */
  const folded: (Folded | undefined)[] = []
  return query => {
    const wanted = fold(query.trim()).text
    const hits: Hit[] = []
    if (wanted === '') return hits
    for (const [row, { text, isGap }] of rows.entries()) {
      if (isGap) continue
      const own = folded[row] ?? fold(text)
      folded[row] = own
      for (let at = own.text.indexOf(wanted); at >= 0; at = own.text.indexOf(wanted, at + wanted.length)) {
        hits.push({ row, from: placeOf(own, at), to: placeBehind(own, at + wanted.length, text) })
        if (hits.length === maxHits) return hits
      }
    }
    return hits
  }
}

function placeOf({ places }: Folded, at: number): number {
  return places ? places[at]! : at
}

/** Behind the last letter of a hit, with the accents that follow it. */
function placeBehind({ places }: Folded, end: number, text: string): number {
  return places ? (places[end] ?? text.length) : end
}

export function fold(text: string): Folded {
  if (/^[\0-\x7f]*$/.test(text)) return { text: text.toLowerCase() }
  let all = ''
  const places: number[] = []
  let at = 0
  for (const letter of text) {
    const plain = letter
      .normalize('NFKD')
      .replace(/\p{M}+/gu, '')
      .toLowerCase()
    for (let i = 0; i < plain.length; i++) places.push(at)
    all += plain
    at += letter.length
  }
  return { text: all, places }
}

/** Index of the first hit at a place of the list or behind it; the first of all where there is none. */
export function hitFrom(hits: readonly Hit[], row: number): number {
  const found = hits.findIndex(hit => hit.row >= row)
  return found < 0 ? 0 : found
}
