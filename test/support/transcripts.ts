// Builds whole transcripts for tests from a few properties.
import type { Gap, Segment, Transcript } from '../../src/domain/transcript.ts'

export interface Facts extends Partial<Omit<Transcript, 'segments'>> {
  segments?: Segment[]
  gaps?: Gap[]
}

export function transcript({ gaps = [], ...facts }: Facts = {}): Transcript {
  const segments = facts.segments ?? [segment('Hello there.', 0, 2)]
  const duration = segments.at(-1)?.end ?? 0
  return {
    id: 't1',
    title: 'A talk',
    createdAt: '2026-03-01T10:00:00.000Z',
    status: gaps.length ? 'partial' : 'completed',
    language: 'en',
    duration,
    model: 'qwen3-asr-flash',
    coverage: { speechSeconds: duration, transcribedSeconds: duration, gaps },
    usage: { audioSeconds: duration, cachedSeconds: 0, costUsd: 0.01 },
    warnings: [],
    ...facts,
    segments,
  }
}

export function segment(text: string, start: number, end: number): Segment {
  return { text, start, end, estimated: true }
}

/** Four hours of speech with a time for every word, about the largest transcript. */
export function longTranscript(id: string): Transcript {
  const segments = Array.from({ length: 2880 }, (_, i) => {
    const words = Array.from({ length: 13 }, (_, k) => ({
      text: `word${i}-${k}`,
      start: i * 5 + k * 0.3,
      end: i * 5 + k * 0.3 + 0.25,
    }))
    return { ...segment(words.map(({ text }) => text).join(' '), i * 5, i * 5 + 4.5), words }
  })
  return transcript({ id, segments })
}
