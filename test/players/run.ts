// Reads subtitles back with real players and parsers, and looks for every word at its time. Not part of CI.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { outputFormats } from '../../src/formats/index.ts'
import { testFfmpeg } from '../support/audio/ffmpeg.ts'
import { type Reader, readers } from './readers.ts'
import { players } from './transcript.ts'

/** Players show a cue from the frame after its start to that before its end. */
const toleranceSeconds = 0.25
/** Those that differ in their markup. */
const presets = ['default', 'karaoke', 'social'] as const
const formats = ['srt', 'vtt', 'vtt-names', 'ass', 'ttml'] as const

const folder = mkdtempSync(join(tmpdir(), 'speech-players-'))
let isWrong = false
try {
  process.env.PLAYERS_FFMPEG ??= await testFfmpeg()
  const only = process.argv.slice(2)
  for (const reader of readers) if (only.length === 0 || only.includes(reader.name)) await readAll(reader)
  process.stdout.write('VLC: gives no text back, not run\n')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = isWrong ? 1 : 0

async function readAll({ name, formats: own, start }: Reader): Promise<void> {
  const read = await start(folder)
  if (!read) {
    process.stdout.write(`${name}: not installed, skipped\n`)
    return
  }
  for (const format of formats.filter(format => own.includes(format)))
    for (const preset of presets) {
      const file = join(folder, `${preset}-${format}.${outputFormats[format].extension}`)
      writeFileSync(file, await outputFormats[format].render(players, { preset }))
      const shown = await read(file, format)
      const lost = players.segments.flatMap(({ words = [] }) =>
        words.filter(({ text, start, end }) => {
          const said = (start + end) / 2
          return !shown.some(
            cue =>
              bare(cue.text).includes(bare(text)) &&
              cue.start - toleranceSeconds <= said &&
              said <= cue.end + toleranceSeconds,
          )
        }),
      )
      isWrong ||= lost.length > 0
      const result =
        lost.length === 0 ? 'every word at its time' : `NOT FOUND: ${lost.map(({ text }) => text).join(' ')}`
      process.stdout.write(`${name}, ${format}, ${preset}: ${shown.length} cues, ${result}\n`)
    }
}

/** Without space, invisible characters, and the full-width forms that stand for marks of markup. */
function bare(text: string): string {
  return text.normalize('NFKC').replace(/[\s\p{Cf}]/gu, '')
}
