// Joins prompts into a conversation whose sentences have known times.
import { writeFileSync } from 'node:fs'
import { createSeededRandom } from '../diarize/random.ts'
import { type Prompt, promptRate } from './prompts.ts'

export interface Conversation {
  /** 8 kHz mono. */
  samples: Int16Array
  /** Times in seconds. */
  sentences: { text: string; start: number; end: number }[]
}

/** Length in seconds of a pause, by a random number from 0 to 1 for its kind and another one for its length. */
export type Pauses = (kind: number, length: number) => number

/** Mostly short pauses, some that a cutter uses or shortens, and a few that end a chunk. */
export const mixedPauses: Pauses = (kind, length) => {
  if (kind < 0.5) return 0.05 + 0.2 * length
  if (kind < 0.9) return 0.3 + 0.9 * length
  return kind < 0.98 ? 4 + 4 * length : 21 + 4 * length
}

export const shortPauses: Pauses = (_, length) => 0.05 + 0.2 * length

/** Prompts in random order, at different levels, over the noise of a quiet room. */
export function joinPrompts(prompts: Prompt[], seconds: number, pauses: Pauses, seed: number): Conversation {
  const random = createSeededRandom(seed)
  const sentences: Conversation['sentences'] = []
  const samples = new Int16Array(promptRate * (seconds + 60))
  for (let i = 0; i < samples.length; i++) samples[i] = random.whole(-2, 2)
  let at = promptRate
  let left: Prompt[] = []
  while (at < seconds * promptRate) {
    if (left.length === 0) left = [...prompts]
    const [{ text, samples: own }] = left.splice(random.whole(0, left.length - 1), 1) as [Prompt]
    const gain = random.between(0.5, 1)
    for (const [i, sample] of own.entries()) samples[at + i]! += Math.round(gain * sample)
    const end = at + own.length
    sentences.push({ text, start: at / promptRate, end: end / promptRate })
    at = end + Math.round(promptRate * pauses(random.next(), random.next()))
  }
  return { samples: samples.slice(0, at), sentences }
}

export function writeWav(file: string, samples: Int16Array): void {
  const header = Buffer.alloc(44)
  const bytes = samples.length * 2
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + bytes, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(promptRate, 24)
  header.writeUInt32LE(2 * promptRate, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(bytes, 40)
  writeFileSync(file, Buffer.concat([header, Buffer.from(samples.buffer, 0, bytes)]))
}
