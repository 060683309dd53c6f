// npm run bench:diarize: error rates of speaker assignment beside baselines, over generated conversations with noise.
import { compare, methods, noises, percent, type Row } from './diarize/compare.ts'

const conversations = 200

const started = performance.now()
const rows: Row[] = []
for (const noise of noises) rows.push(await compare(noise, conversations))
print(rows)
const missed = rows.flatMap(row => row.missed)
const seconds = Math.round((performance.now() - started) / 1000)
console.log(`\n${conversations} conversations a row, in en, zh and ja, with 2 to 6 speakers; ${seconds} s.`)
console.log('words all wrong: there is nothing to match, so there is no target.')
console.log(
  'floor: the labels of the speaker model for the words that it recognised, and none for the others.',
)
console.log(
  missed.length ? `\nMissed:\n${missed.map(target => `  ${target}`).join('\n')}` : '\nAll targets are met.',
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
  const formatRow = (row: string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  const half = widths.slice(0, 2 + methods.length).reduce((sum, width) => sum + width + 2, 0)
  console.log(`${'WDER'.padStart(widths[0]! + 6).padEnd(half)}   cpWER (cpCER in zh, ja)`)
  for (const row of [names, ...cells]) console.log(formatRow(row))
}
