// Speaker turns: the spans in which each speaker speaks, and distances to them.
import type { Span } from '../../domain/transcript.ts'
import type { TimedTokens } from './timed-tokens.ts'

/** A shorter pause does not end a turn. */
const minTurnPauseSeconds = 0.3

/** Disjoint spans of each speaker, in order. `speakers` maps the provider's number to an index. */
export function turnsOf(recognition: TimedTokens, speakers: Map<number, number>): Span[][] {
  const turns: Span[][] = Array.from({ length: speakers.size }, () => [])
  for (const { start, end, sentence } of recognition.words) {
    const speaker = speakers.get(recognition.sentences[sentence]!.speaker ?? -1)
    if (speaker !== undefined) turns[speaker]!.push({ start, end })
  }
  return turns.map(spans => mergeSpans(spans, minTurnPauseSeconds))
}

/** Merges spans that are less than `gap` seconds apart. */
export function mergeSpans(spans: Span[], gap: number): Span[] {
  const found: Span[] = []
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    const open = found.at(-1)
    if (open && start - open.end < gap) open.end = Math.max(open.end, end)
    else found.push({ start, end })
  }
  return found
}

/** Seconds from a moment to the nearest of the sorted spans; 0 inside one. */
export function distanceToSpans(at: number, spans: Span[]): number {
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (spans[middle]!.end < at) low = middle + 1
    else high = middle
  }
  const [before, after] = [spans[low - 1], spans[low]]
  return Math.max(0, Math.min(before ? at - before.end : Infinity, after ? after.start - at : Infinity))
}

/** Share of the time of `some` that lies inside the sorted, disjoint `spans`. */
export function coveredShare(some: Span[], spans: Span[]): number {
  let [total, inside, k] = [0, 0, 0]
  for (const { start, end } of mergeSpans(some, 0)) {
    total += end - start
    while (k < spans.length && spans[k]!.end <= start) k++
    for (let i = k; i < spans.length && spans[i]!.start < end; i++)
      inside += Math.min(end, spans[i]!.end) - Math.max(start, spans[i]!.start)
  }
  return total > 0 ? inside / total : 0
}
