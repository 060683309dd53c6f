// npm run bench:diarize: who said what, ours beside the usual ways, over generated conversations with growing noise.
import { compare, methods, noises, percent, type Row } from './diarize/compare.ts'

const conversations = 200

const started = performance.now()
const rows = noises.map(noise => compare(noise, conversations))
print(rows)
const missed = rows.flatMap(row => row.missed)
const took = Math.round((performance.now() - started) / 1000)
console.log(`\n${conversations} conversations a row, in en, zh and ja, with 2 to 6 speakers; ${took} s.`)
console.log('words all wrong: nothing to match, so nothing is promised.')
console.log(
  'floor: one who knows which words the first model heard, believes its labels, and guesses nothing.',
)
console.log(
  missed.length ? `\nMissed:\n${missed.map(line => `  ${line}`).join('\n')}` : '\nAll targets hold.',
)
process.exitCode = missed.length ? 1 : 0

function print(rows: Row[]): void {
  const names = ['noise', 'floor', ...methods, '', ...methods]
  const cells = rows.map(({ noise, floor, wder, cpwer }) => [
    noise.name,
    percent(floor),
    ...methods.map(method => percent(wder[method])),
    '|',
    ...methods.map(method => percent(cpwer[method])),
  ])
  const widths = names.map((name, i) => Math.max(name.length, ...cells.map(row => row[i]!.length)))
  const line = (row: string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  const half = widths.slice(0, 2 + methods.length).reduce((sum, width) => sum + width + 2, 0)
  console.log(`${'WDER'.padStart(widths[0]! + 6).padEnd(half)}   cpWER (cpCER in zh, ja)`)
  for (const row of [names, ...cells]) console.log(line(row))
}
