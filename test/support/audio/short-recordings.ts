// Makes many short recordings of speech, each with other content: slices of a fixture.
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fixture } from '../e2e/system.ts'
import { testFfmpeg } from './ffmpeg.ts'
import { rate } from './synthetic-speech.ts'
import { wavOf } from './wav.ts'

const sliceSeconds = 2.5

/** Writes `count` WAV files into the folder, ten in each of its folders. Resolves with their paths. */
export async function makeShortRecordings(folder: string, count: number): Promise<string[]> {
  const input = ['-v', 'error', '-i', fixture('interview.mp3')]
  const output = ['-f', 's16le', '-ac', '1', '-ar', String(rate), '-']
  const speech = execFileSync(await testFfmpeg(), [...input, ...output], { maxBuffer: 1 << 28 })
  const sliceBytes = 2 * rate * sliceSeconds
  const step = Math.floor((speech.length - sliceBytes) / count / 2) * 2
  const files = Array.from({ length: count }, (_, i) => join(folder, String(i % 10), `memo ${i}.wav`))
  for (const [i, file] of files.entries()) {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, wavOf(speech.subarray(i * step, i * step + sliceBytes)))
  }
  return files
}
