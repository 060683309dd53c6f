// Finds speech without recognised words: music is one cause, and the reader may know another.
import { formatTime } from '../../domain/format-time.ts'
import { roundToMs, type Span } from '../../domain/transcript.ts'

/** Sound without words of this length is worth a warning. */
export const minUnrecognisedSeconds = 5
/** Words reach a little further than their times. */
const timingSlackSeconds = 1.5
/** Stretches closer than this are reported as one. */
const minDistanceSeconds = 3

export interface UnrecognisedSpeech extends Span {
  /** Seconds of detected speech within the span. */
  speechSeconds: number
}

/** Finds long stretches of detected speech without text; both arguments are in order of time. */
export function findUnrecognised(speech: Span[], text: Span[]): UnrecognisedSpeech[] {
  const found: UnrecognisedSpeech[] = []
  let next = 0
  for (const span of speech) {
    while (next < text.length && text[next]!.end + timingSlackSeconds <= span.start) next++
    for (const { start, end } of subtractText(span, text, next)) {
      const last = found.at(-1)
      if (last && start - last.end < minDistanceSeconds) {
        last.speechSeconds += end - start
        last.end = end
      } else found.push({ start, end, speechSeconds: end - start })
    }
  }
  return found.filter(({ speechSeconds }) => speechSeconds >= minUnrecognisedSeconds)
}

/** The parts of a span outside the texts; texts before index `from` end before the span. */
function subtractText(span: Span, text: Span[], from: number): Span[] {
  const rest: Span[] = []
  let start = span.start
  for (let i = from; i < text.length && text[i]!.start - timingSlackSeconds < span.end; i++) {
    if (text[i]!.start - timingSlackSeconds > start)
      rest.push({ start, end: text[i]!.start - timingSlackSeconds })
    start = Math.max(start, text[i]!.end + timingSlackSeconds)
  }
  if (start < span.end) rest.push({ start, end: span.end })
  return rest
}

export function unrecognisedWarning({ start, end }: Span): string {
  const [from, to] = [formatTime(roundToMs(start)), formatTime(roundToMs(end))]
  return `The model recognised no words between ${from} and ${to}, although there is sound.`
}
