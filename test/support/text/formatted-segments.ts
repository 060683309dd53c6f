// Formats segments with the fake text model, and checks that words keep their times and speakers.
import { expect } from 'vitest'
import type { Segment } from '../../../src/domain/transcript.ts'
import { type FormatOptions, formatSegments } from '../../../src/pipeline/formatting/format-text.ts'
import { type FakeTextModelOptions, fakeTextModel } from './fake-text-model.ts'
import { memoryCheckpoints, testRun } from './generated-speech.ts'
import { words } from './words.ts'

export async function formatWithFake(
  segments: Segment[],
  modelOptions: FakeTextModelOptions = {},
  options: Partial<FormatOptions> = {},
) {
  const model = fakeTextModel({ concurrency: 1_000, ...modelOptions })
  const run = testRun({ checkpoints: memoryCheckpoints().checkpoints })
  const result = await formatSegments(segments, { style: 'faithful', ...options }, { textModel: model }, run)
  return { model, ...result }
}

export function spokenSegment(text: string, start: number, end: number, speaker?: string | null): Segment {
  return { text, start, end, estimated: false, ...(speaker !== undefined && { speaker }) }
}

/** Returns for each raw segment with words its formatted segments. */
export function groupByOrigin(raw: Segment[], made: Segment[]): { source: Segment; parts: Segment[] }[] {
  let next = 0
  const found: { source: Segment; parts: Segment[] }[] = []
  for (const source of raw) {
    const expected = words(source.text)
    if (expected.length === 0) continue
    const parts: Segment[] = []
    const left: string[] = []
    while (left.length < expected.length && made[next]) {
      left.push(...words(made[next]!.text))
      parts.push(made[next++]!)
    }
    expect(left).toEqual(expected)
    found.push({ source, parts })
  }
  return found
}

export function expectInPlace(raw: Segment[], made: Segment[]): void {
  const all = groupByOrigin(raw, made)
  expect(all.flatMap(({ parts }) => parts)).toHaveLength(made.length)
  for (const { source, parts } of all) {
    expect(parts[0]!.start).toBe(source.start)
    expect(parts.at(-1)!.end).toBe(source.end)
    const isInOrder = parts.every(
      ({ start, end }, i) => start >= (parts[i - 1]?.end ?? source.start) && end >= start,
    )
    expect(isInOrder).toBe(true)
    const facts = ({ speaker, estimated, confidence }: Segment) => [speaker, estimated, confidence].join()
    expect(new Set(parts.map(facts))).toEqual(new Set([facts(source)]))
  }
}
