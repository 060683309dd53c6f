// Speaker turns: the spans in which each speaker speaks, and distances to them.
import type { Span } from '../../domain/transcript.ts'
import { isTurnOver, nextTurn, sortInTurns } from '../../domain/waiting/turns.ts'
import type { TimedTokens } from './timed-tokens.ts'

/** A shorter pause does not end a turn. */
const minTurnPauseSeconds = 0.3

/** Disjoint spans of each speaker, in order. `speakers` maps the provider's number to an index. */
export async function turnsOf(recognition: TimedTokens, speakers: Map<number, number>): Promise<Span[][]> {
  const turns: Span[][] = Array.from({ length: speakers.size }, () => [])
  for (const { start, end, sentence } of recognition.words) {
    if (isTurnOver()) await nextTurn()
    const speaker = speakers.get(recognition.sentences[sentence]!.speaker ?? -1)
    if (speaker !== undefined) turns[speaker]!.push({ start, end })
  }
  return Promise.all(turns.map(spans => mergeSpans(spans, minTurnPauseSeconds)))
}

/** Merges spans that are less than `gap` seconds apart. */
export async function mergeSpans(spans: Span[], gap: number): Promise<Span[]> {
  const found: Span[] = []
  for (const { start, end } of await sortInTurns(spans, (a, b) => a.start - b.start)) {
    if (isTurnOver()) await nextTurn()
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
export async function coveredShare(some: Span[], spans: Span[]): Promise<number> {
  let [total, inside, k] = [0, 0, 0]
  for (const { start, end } of await mergeSpans(some, 0)) {
    if (isTurnOver()) await nextTurn()
    total += end - start
    while (k < spans.length && spans[k]!.end <= start) k++
    for (let i = k; i < spans.length && spans[i]!.start < end; i++)
      inside += Math.min(end, spans[i]!.end) - Math.max(start, spans[i]!.start)
  }
  return total > 0 ? inside / total : 0
}
