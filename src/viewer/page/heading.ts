// Draws the head of the page: title, facts, speakers, warnings and downloads.
import type { Source, ViewerData } from './contract.ts'
import { byId, colourOf, make } from './elements.ts'
import { clock, localTime } from './times.ts'

export function drawHeading(data: ViewerData, source: Source): void {
  const { title, speakers, warnings, formats, rows } = data
  document.title = title
  byId('title', 'h1').textContent = title
  byId('facts', 'p').textContent = factsOf(data).join(' · ')
  if (speakers.length > 0) {
    const list = byId('speakers', 'ul')
    for (const [i, { label, share }] of speakers.entries()) {
      const item = make('li', colourOf(i))
      item.append(make('span', 'dot'), make('bdi', '', label), ` ${Math.round(share * 100)} %`)
      list.append(item)
    }
    list.hidden = false
  }
  const gaps = rows.filter(({ isGap }) => isGap).length
  const notes = [
    ...(gaps > 0 ? [`${gaps === 1 ? 'A part has' : `${gaps} parts have`} no text.`] : []),
    ...warnings,
  ]
  if (notes.length > 0) {
    const box = byId('notes', 'details')
    box.querySelector('summary')!.textContent = `Warnings: ${notes.length}`
    box.querySelector('ul')!.append(...notes.map(note => make('li', '', note)))
    box.hidden = false
  }
  if (source.download && formats.length > 0) {
    const box = byId('files', 'details')
    for (const format of formats) {
      const link = make('a', '', format)
      link.href = source.download(format)
      link.setAttribute('download', '')
      const item = make('li')
      item.append(link)
      box.querySelector('ul')!.append(item)
    }
    box.hidden = false
  }
}

function factsOf({ duration, createdAt, status, rows, language, endsAt }: ViewerData): string[] {
  const estimated = rows.some(({ isEstimated }) => isEstimated)
  return [
    clock(duration),
    createdAt.slice(0, 10),
    ...(language ? [language] : []),
    ...(status === 'completed' ? [] : [status]),
    ...(estimated ? ['times estimated'] : []),
    ...(endsAt === undefined ? [] : [`page ends ${localTime(endsAt)}`]),
  ]
}

/** A strip of colours for the turns of the speakers. */
export function drawStrip({ rows, duration }: ViewerData): void {
  const canvas = byId('strip', 'canvas')
  const pen = canvas.getContext('2d')
  const probe = make('span')
  document.body.append(probe)
  const colours = new Map<string, string>()
  const colourFor = (name: string) => {
    const known = colours.get(name)
    if (known) return known
    probe.className = name
    const found = getComputedStyle(probe).color
    colours.set(name, found)
    return found
  }
  canvas.width = Math.max(1, canvas.clientWidth)
  for (const { start, end, speaker, isGap } of rows) {
    if (!pen) break
    pen.fillStyle = isGap ? '#e0a800' : colourFor(colourOf(speaker ?? 0))
    const [from, to] = [start, end].map(seconds => (seconds / Math.max(1, duration)) * canvas.width) as [
      number,
      number,
    ]
    pen.fillRect(from, isGap ? 6 : 0, Math.max(1, to - from), isGap ? 4 : 10)
  }
  probe.remove()
}
