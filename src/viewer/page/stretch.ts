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

/** To the page itself where others can open it, at `address`; otherwise the URI that agents cite. */
export function linkTo(
  { id, endsAt }: Pick<ViewerData, 'id' | 'endsAt'>,
  seconds: number,
  address: string,
): string {
  const time = Math.floor(seconds * 10) / 10
  return endsAt === undefined ? `transcript://${id}?t=${time}` : `${address.split('#')[0]}#t=${time}`
}

/** The second in the end of such a link. */
export function timeInLink(hash: string): number | undefined {
  const [, seconds] = /^#t=(\d{1,6}(?:\.\d{1,3})?)$/.exec(hash) ?? []
  return seconds === undefined ? undefined : Number(seconds)
}

export function describeStretch({ start, end }: Stretch): string {
  return `${clock(start)} to ${clock(end)}`
}

export function quoteOf(data: ViewerData, stretch: Stretch, address: string): string {
  return `${stretch.quote}\n(${clock(stretch.start)}, ${linkTo(data, stretch.start, address)})`
}
