// CSV output: one row for each segment or each word, and one for each gap.
import { formatTime } from '../domain/format-time.ts'
import { type Gap, roundToMs, type Segment, type Span, type Transcript } from '../domain/transcript.ts'
import { inTurns } from '../domain/waiting/turns.ts'
import { preferFormatted } from './shown-segments.ts'
import { labelOf } from './speakers.ts'
import { type TimedWord, timedWords } from './timed-words.ts'

/** Excel takes a file without it for the machine's old code page. */
const byteOrderMark = '\ufeff'
/** Spreadsheets run a cell that begins with one of these as a formula, full-width ones too. */
const formulaStart = /^[=+\-@\t\r\n＝＋－＠]/

/**
 * RFC 4180 with a header, UTF-8 with byte order mark. Times are seconds. A cell that a spreadsheet would run as a formula
 * gets an apostrophe in front. A gap has its reason as text.
 */
export function csv(transcript: Transcript): Promise<string> {
  return table(transcript, segment => [{ ...segment, isEstimated: segment.estimated }])
}

/** The same with one row for each word. */
export function csvWords(transcript: Transcript): Promise<string> {
  return table(transcript, timedWords)
}

type Row = Pick<TimedWord, keyof Span | 'text' | 'isEstimated'>

async function table(transcript: Transcript, rowsOf: (segment: Segment) => Row[]): Promise<string> {
  const { segments, coverage } = preferFormatted(transcript)
  const labelFor = labelOf(transcript)
  const gaps = [...coverage.gaps]
  const lines = [row('start', 'end', 'speaker', 'text', 'kind', 'times')]
  for await (const segment of inTurns(segments)) {
    while (gaps[0] && gaps[0].start <= segment.start) lines.push(gapRow(gaps.shift()!))
    for (const { start, end, text, isEstimated } of rowsOf(segment))
      lines.push(
        row(start, end, labelFor(segment) ?? '', text, 'speech', isEstimated ? 'estimated' : 'measured'),
      )
  }
  return byteOrderMark + [...lines, ...gaps.map(gapRow)].join('')
}

function gapRow({ start, end, reason }: Gap): string {
  return row(start, end, '', `[no text until ${formatTime(end)}: ${reason}]`, 'gap', '')
}

function row(...cells: (string | number)[]): string {
  return `${cells.map(cell).join(',')}\r\n`
}

function cell(value: string | number): string {
  if (typeof value === 'number') return String(roundToMs(value))
  const safe = formulaStart.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
