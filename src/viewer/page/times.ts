// Times as the page shows them, and what is said at a time.
import type { Piece, ViewerRow } from './contract.ts'

/** `3:07`, or `1:02:03` from an hour on. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** `2026-12-01 09:00` where the reader is. */
export function localTime(iso: string): string {
  const date = new Date(iso)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** `1 minute 5 seconds`, as a screen reader says it. */
export function spokenTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const units: [number, string][] = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second'],
  ]
  const said = units.filter(([count], i) => count > 0 || (i === 2 && whole === 0))
  return said.map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`).join(' ')
}

/** Index of the last row that begins at the time or before it; −1 before the first one. Rows are in order of their starts. */
export function rowAt(rows: readonly ViewerRow[], seconds: number): number {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (rows[middle]!.start <= seconds) low = middle + 1
    else high = middle
  }
  return low - 1
}

export interface PlacedWord {
  /** `[from, to)` in the text of the row. */
  from: number
  to: number
  start: number
  end: number
}

export function wordOf(row: ViewerRow, index: number): PlacedWord | undefined {
  const [from, to, start, end] = row.words.slice(index * 4, index * 4 + 4)
  if (from === undefined) return undefined
  return { from, to: to!, start: row.start + start! / 1000, end: row.start + end! / 1000 }
}

/** The word that is said, or was said last; undefined before the first one. */
export function wordAt(row: ViewerRow, seconds: number): PlacedWord | undefined {
  // A time that was rounded to the millisecond may lie just before its word.
  const ms = (seconds - row.start) * 1000 + 0.5
  let index = -1
  while (row.words[(index + 1) * 4 + 2] !== undefined && row.words[(index + 1) * 4 + 2]! <= ms) index++
  return index < 0 ? undefined : wordOf(row, index)
}

/** The word at a place of the text, or the one before it; otherwise the first one. */
export function wordAtOffset(row: ViewerRow, offset: number): PlacedWord | undefined {
  let index = 0
  while (row.words[(index + 1) * 4] !== undefined && row.words[(index + 1) * 4]! <= offset) index++
  return wordOf(row, index)
}

/** A piece that holds the time, with a little left to hear. */
export function pieceAt<T extends Piece>(pieces: readonly T[], seconds: number): T | undefined {
  return pieces.find(({ start, end }) => start <= seconds + 0.001 && seconds < end - 0.05)
}

/**
 * From where the sound behind a piece is asked for. The end of the piece, so that no pause is left out; `next` where that
 * brought nothing new.
 */
export function nextFrom(piece: Piece, duration: number): number | undefined {
  if (piece.next === undefined || piece.end >= duration - 0.05) return undefined
  return piece.end
}
