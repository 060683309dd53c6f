// The table of all rounds, as Markdown.
import type { RoundResult } from './tally.ts'

const columns: [title: string, cell: (result: RoundResult) => string][] = [
  ['round', ({ round }) => round],
  ['tries', ({ tries }) => String(tries)],
  ['survived', ({ survived }) => String(survived)],
  ['failures', ({ failures }) => String(failures.length)],
  ['worst', ({ worstSeconds }) => `${worstSeconds.toFixed(2)} s`],
  ['memory', ({ memory }) => (memory ? `${memory.peak} peak, ${memory.warm} → ${memory.end} MB` : '–')],
  ['handles', ({ handles }) => (handles ? `${handles.warm} → ${handles.end}` : '–')],
  ['children', ({ childrenLeft }) => String(childrenLeft)],
  ['scratch', ({ scratchLeft }) => String(scratchLeft)],
]

export function tableOf(results: RoundResult[]): string {
  const rows = [columns.map(([title]) => title), ...results.map(one => columns.map(([, cell]) => cell(one)))]
  const widths = columns.map((_, i) => Math.max(...rows.map(row => row[i]!.length)))
  const lines = rows.map(row => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`)
  lines.splice(1, 0, `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`)
  return lines.join('\n')
}
