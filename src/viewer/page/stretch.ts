// A stretch of the text that a person has chosen: its times, its quote, and the link that cites it.
import type { ViewerData } from './contract.ts'
import { clock, wordAtOffset } from './times.ts'

export interface Stretch {
  start: number
  end: number
  /** The words, with speakers. */
  quote: string
}

/** A place in the text: a row, and an offset in it. */
export interface Place {
  row: number
  offset: number
}

/** The stretch between two places, from the word of the first one to that of the last one. */
export function stretchBetween(
  { rows, speakers }: ViewerData,
  first: Place,
  last: Place,
): Stretch | undefined {
  const lines: string[] = []
  let [start, end] = [undefined as number | undefined, 0]
  for (let index = first.row; index <= last.row; index++) {
    const row = rows[index]
    // A selection of whole lines ends at the start of the next one.
    if (!row || row.isGap || (index === last.row && last.offset === 0)) continue
    const from = index === first.row ? wordAtOffset(row, first.offset) : undefined
    const to = index === last.row ? wordAtOffset(row, Math.max(0, last.offset - 1)) : undefined
    const text = row.text.slice(from?.from ?? 0, to?.to ?? row.text.length).trim()
    if (text === '') continue
    start ??= from?.start ?? row.start
    end = Math.max(end, to?.end ?? row.end)
    const label = row.speaker === undefined ? '' : `${speakers[row.speaker]?.label ?? '?'}: `
    lines.push(`${label}${text}`)
  }
  return start === undefined ? undefined : { start, end, quote: lines.join('\n') }
}

export function linkTo(id: string, seconds: number): string {
  return `transcript://${id}?t=${Math.floor(seconds * 10) / 10}`
}

export function describeStretch({ start, end }: Stretch): string {
  return `${clock(start)} to ${clock(end)}`
}

export function quoteOf(id: string, stretch: Stretch): string {
  return `${stretch.quote}\n(${clock(stretch.start)}, ${linkTo(id, stretch.start)})`
}
