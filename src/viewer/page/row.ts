// One row of the list: its time, its speaker, its doubts and its text.
import type { ViewerData, ViewerRow } from './contract.ts'
import { colourOf, make } from './elements.ts'
import { clock, spokenTime } from './times.ts'

export interface DrawnRow {
  element: HTMLElement
  /** The one text node: words and hits are marked by ranges over it. */
  text: Text
}

/** Equal for rows with the same text and times. */
export function rowKey({ rows }: ViewerData, index: number): string {
  const { start, end, text, isGap } = rows[index]!
  return [start, end, isGap, text].join('|')
}

/** Equal for such rows that look the same. */
export function lookOf({ rows, speakers, canRename }: ViewerData, index: number): string {
  const row = rows[index]!
  return [speakerOf(row, rows[index - 1], speakers), row.speaker, doubtsOf(row), canRename].join('|')
}

export function drawRow(data: ViewerData, index: number): DrawnRow {
  const row = data.rows[index]!
  const element = make('div', row.isGap ? 'row gap' : 'row')
  element.setAttribute('role', 'listitem')
  numberRow(element, data, index)
  const time = make('button', 'time', clock(row.start))
  time.type = 'button'
  time.setAttribute('aria-label', `${clock(row.start)}, play from ${spokenTime(row.start)}`)
  element.append(time)
  const paragraph = make('p')
  paragraph.dir = 'auto'
  const text = document.createTextNode(
    row.isGap ? `No text from ${clock(row.start)} to ${clock(row.end)}: ${row.text}` : row.text,
  )
  paragraph.append(text)
  element.append(paragraph)
  dressRow(element, data, index)
  return { element, text }
}

export function numberRow(element: HTMLElement, { rows }: ViewerData, index: number): void {
  element.setAttribute('aria-setsize', String(rows.length))
  element.setAttribute('aria-posinset', String(index + 1))
  element.dataset.index = String(index)
}

/** Says in front of the text who speaks; the text keeps its place, and what is chosen in it. */
export function dressRow(
  element: HTMLElement,
  { rows, speakers, canRename }: ViewerData,
  index: number,
): void {
  const row = rows[index]!
  element.querySelector('.who')?.remove()
  const label = speakerOf(row, rows[index - 1], speakers)
  const marks = doubtsOf(row)
  if (!label && !marks) return
  const who = make('span', 'who')
  if (label) who.append(nameOf(label, row.speaker!, canRename && row.speaker! >= 0))
  if (marks) who.append(make('span', 'mark', label ? ` (${marks})` : marks))
  element.querySelector('p')!.before(who)
}

/** The head of the page has the names for the keyboard: here they would be many more stops of the Tab key. */
function nameOf(label: string, speaker: number, canRename: boolean | undefined): HTMLElement {
  if (!canRename) return make('bdi', colourOf(speaker), label)
  const button = make('button', `name ${colourOf(speaker)}`)
  button.type = 'button'
  button.tabIndex = -1
  button.title = 'Rename'
  button.dataset.speaker = String(speaker)
  button.append(make('bdi', '', label))
  return button
}

/** A speaker is named where another one has spoken before. */
function speakerOf(row: ViewerRow, before: ViewerRow | undefined, speakers: ViewerData['speakers']): string {
  if (row.speaker === undefined || row.isGap) return ''
  if (before?.speaker === row.speaker && !before.isGap && !row.isDoubtful) return ''
  return speakers[row.speaker]?.label ?? 'Unknown speaker'
}

function doubtsOf(row: ViewerRow): string {
  if (row.isGap) return 'gap'
  return row.isDoubtful ? 'speaker uncertain' : ''
}
