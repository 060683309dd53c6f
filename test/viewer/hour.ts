// An hour of speech that was never spoken: each word is a short tone, so that a test can hear when it begins.
import type { Segment, Transcript } from '../../src/domain/transcript.ts'
import type { TranscriptClip } from '../../src/jobs/jobs.ts'
import { encodeClip } from '../../src/pipeline/clips/encode-clip.ts'
import { testFfmpeg } from '../support/audio/ffmpeg.ts'
import { tempFolder } from '../support/e2e/system.ts'
import { transcript } from '../support/transcripts.ts'

const vocabulary =
  'so the budget of next year is what we have to talk about today before anything else'.split(' ')
const secondsPerRow = 4.5
const wordsPerRow = 12
export const wordSeconds = 0.3
const sampleRate = 16_000
const pieceSeconds = 25

/** 800 sentences of 12 words by four speakers, with a gap. */
export function hourOfSpeech(): Transcript {
  const segments = Array.from({ length: 800 }, (_, i): Segment => {
    const start = i * secondsPerRow
    const words = Array.from({ length: wordsPerRow }, (_, k) => {
      const text = vocabulary[(i * 7 + k * 3) % vocabulary.length]!
      return { text, start: start + k * wordSeconds, end: start + k * wordSeconds + 0.2 }
    })
    const text = words.map(({ text }) => text).join(' ')
    const speaker = i % 50 === 49 ? null : `S${1 + (Math.floor(i / 3) % 4)}`
    return {
      text,
      start,
      end: start + 3.8,
      estimated: false,
      words,
      speaker,
      confidence: i % 40 === 7 ? 0.3 : 0.9,
    }
  })
  const speakers = ['Alice', 'Bob', 'דנה', ''].map((name, i) => {
    return { id: `S${i + 1}`, ...(name && { name }), seconds: 800, share: 0.25 }
  })
  return transcript({
    id: 'tr_hour',
    title: 'An hour of talk',
    duration: 3600,
    segments: segments.filter((_, i) => i < 20 || i > 22),
    speakers,
    gaps: [{ start: 90, end: 103.5, reason: 'The provider refused this part.' }],
    warnings: ['The last minute has music.'],
  })
}

/** A tone where each word begins; clips end where a row does. */
export async function toneClips(shown: Transcript) {
  const ffmpeg = await testFfmpeg()
  const words = shown.segments.flatMap(({ words = [] }) => words)
  const clip = async (from: number): Promise<TranscriptClip> => {
    const start = Math.floor(from * 10) / 10
    const end = Math.min(shown.duration, Math.ceil((start + pieceSeconds) / secondsPerRow) * secondsPerRow)
    const samples = new Int16Array(Math.round((end - start) * sampleRate))
    for (const word of words) {
      if (word.end < start || word.start >= end) continue
      const first = Math.round((word.start - start) * sampleRate)
      for (let i = Math.max(0, first); i < Math.min(samples.length, first + 0.1 * sampleRate); i++)
        samples[i] = 12_000 * Math.sin((2 * Math.PI * 700 * i) / sampleRate)
    }
    // Pieces are made at once, and each needs a file.
    const folder = await tempFolder()
    const run = { signal: new AbortController().signal, scratch: async () => folder.path }
    const audio = await encodeClip(samples, async () => ({ path: ffmpeg }), run)
    await folder.remove()
    return { audio, start, end, ...(end < shown.duration && { next: end }), transcript: shown }
  }
  return { clip }
}
