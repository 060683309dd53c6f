// Speech in which nobody's words were heard: music is one reason, and the reader may know another.
import { formatTime } from '../../domain/format-time.ts'
import { roundToMs, type Span } from '../../domain/transcript.ts'

/** So many seconds of sound without a word are worth a warning. */
export const minUnrecognisedSeconds = 5
/** Words reach a little further than their times say, in seconds. */
const slack = 1.5
/** Stretches this near to each other are told of as one. */
const near = 3

export interface UnrecognisedSpeech extends Span {
  /** How long it sounds in there. */
  speechSeconds: number
}

/** Where someone seems to speak for long and there is no text; both in order of time. */
export function findUnrecognised(speech: Span[], text: Span[]): UnrecognisedSpeech[] {
  const found: UnrecognisedSpeech[] = []
  let next = 0
  for (const span of speech) {
    while (next < text.length && text[next]!.end + slack <= span.start) next++
    for (const { start, end } of without(span, text, next)) {
      const last = found.at(-1)
      if (last && start - last.end < near) {
        last.speechSeconds += end - start
        last.end = end
      } else found.push({ start, end, speechSeconds: end - start })
    }
  }
  return found.filter(({ speechSeconds }) => speechSeconds >= minUnrecognisedSeconds)
}

/** What of a span lies outside the texts, of which those before `from` lie before it. */
function without(span: Span, text: Span[], from: number): Span[] {
  const left: Span[] = []
  let start = span.start
  for (let i = from; i < text.length && text[i]!.start - slack < span.end; i++) {
    if (text[i]!.start - slack > start) left.push({ start, end: text[i]!.start - slack })
    start = Math.max(start, text[i]!.end + slack)
  }
  if (start < span.end) left.push({ start, end: span.end })
  return left
}

export function unrecognisedWarning({ start, end }: Span): string {
  return `The model heard no words between ${formatTime(roundToMs(start))} and ${formatTime(roundToMs(end))}, though it is not silent there.`
}
