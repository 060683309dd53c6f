// npm run bench:times: how far estimated sentence starts are off, where other sound is before, between and under speech.
// The texts of the chunks are the true ones, so nothing but their times is measured. `--each` prints each recording.

import { tokens } from '../src/domain/tokens.ts'
import { cut } from '../src/pipeline/audio/cut/cut.ts'
import { heardSpeech } from '../src/pipeline/audio/speech-detector/heard-speech.ts'
import { loadSpeechDetector } from '../src/pipeline/audio/speech-detector/speech-detector.ts'
import { createMerge } from '../src/pipeline/chunks/merge.ts'
import type { ChunkTranscript } from '../src/pipeline/chunks/recognise.ts'
import { betweenPauses } from '../src/pipeline/chunks/short-pauses.ts'
import {
  endsSentence,
  fixtureNames,
  heldOut,
  make,
  plain,
  type Recording,
  tuned,
} from './times/recordings.ts'

const targets = {
  plain: { median: 0.04, p95: 0.06, worst: 2.36 },
  tuned: { median: 0.1, p95: 0.6 },
  'held out': { p95: 1.5 },
}
/** Targets are rounded to hundredths. */
const rounding = 0.005

const detector = await loadSpeechDetector()
if (!detector) throw new Error('The speech detector did not load.')

/** Sizes of the errors of all sentence starts, in seconds, by the level alone and as it is done. */
async function measure({ samples, words, joiner }: Recording) {
  const before: ChunkTranscript[] = []
  const after: ChunkTranscript[] = []
  const spent = { seconds: 0 }
  let next = 0
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  const pieces = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, i) =>
    bytes.subarray(i * 65_536, (i + 1) * 65_536),
  )
  for await (const { samples: sound, release, ...chunk } of cut(pieces, { maxSeconds: 150 })) {
    const from = next
    while (next < words.length && (words[next]!.start + words[next]!.end) / 2 < chunk.end) next++
    const text = words
      .slice(from, next)
      .map(word => word.text)
      .join(joiner)
    const clock = process.cpuUsage()
    const heard = await heardSpeech({ ...chunk, samples: sound }, detector!)
    const voiced = betweenPauses(heard ?? chunk.speech, chunk)
    const { user, system } = process.cpuUsage(clock)
    spent.seconds += (user + system) / 1e6
    release()
    const transcript = { ...chunk, text, overlap: 0, sent: 0, cached: 0 }
    before.push(transcript)
    after.push({ ...transcript, ...(heard && { heard }), voiced })
  }
  return {
    before: errors(before, words),
    after: errors(after, words),
    spent: spent.seconds,
    lost: words.length - next,
  }
}

function errors(transcripts: ChunkTranscript[], words: Recording['words']): number[] {
  const { segments } = createMerge('segment')(transcripts)
  const counts = words.map(({ text }) => tokens(text).length)
  const starts = new Map<number, number>()
  let at = 0
  for (const [i, word] of words.entries()) {
    const before = words[i - 1]
    if (!before || endsSentence(before)) starts.set(at, word.start)
    at += counts[i]!
  }
  const found: number[] = []
  at = 0
  for (const { text, start } of segments) {
    const truth = starts.get(at)
    if (truth !== undefined) found.push(Math.abs(start - truth))
    at += tokens(text).length
  }
  return found
}

function summary(values: number[]) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  return { median: at(0.5), p95: at(0.95), worst: at(1) }
}

const shown = (values: number[]) =>
  Object.values(summary(values))
    .map(value => value.toFixed(2).padStart(6))
    .join(' ')

const groups = {
  plain: fixtureNames.map(plain),
  tuned: tuned.map(make),
  'held out': heldOut.map((recipe, i) => make(recipe, 100 + i)),
}
const missed: string[] = []
console.log('Seconds: median, p95, worst, by the level alone | as it is')
for (const [group, recordings] of Object.entries(groups)) {
  const all = { before: [] as number[], after: [] as number[], audio: 0, spent: 0 }
  for (const making of recordings) {
    const recording = await making
    const { before, after, spent, lost } = await measure(recording)
    if (lost > 0) missed.push(`${recording.name}: ${lost} words are in no chunk`)
    all.before.push(...before)
    all.after.push(...after)
    all.audio += recording.samples.length / 16_000
    all.spent += spent
    if (process.argv.includes('--each'))
      console.log(`${shown(before)} | ${shown(after)}  ${recording.name} (${after.length})`)
  }
  console.log(
    `${shown(all.before)} | ${shown(all.after)}  ${group} (${all.after.length} sentences), ${((all.spent / all.audio) * 3600).toFixed(2)} s of processor an hour`,
  )
  const found = summary(all.after)
  const alone = summary(all.before)
  if (group === 'plain' && found.p95 > alone.p95 + rounding)
    missed.push('plain: worse than by the level alone')
  for (const [name, most] of Object.entries(targets[group as keyof typeof targets]))
    if (found[name as keyof typeof found] > most + rounding) missed.push(`${group}: ${name} over ${most} s`)
}
console.log(
  missed.length ? `\nMissed:\n${missed.map(target => `  ${target}`).join('\n')}` : '\nAll targets are met.',
)
process.exitCode = missed.length ? 1 : 0
