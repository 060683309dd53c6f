// The times of an answer that can be trusted: those of its words, or else of its segments.
import type { Recognition } from '../../domain/ports.ts'
import { areInvented, areWordsInvented } from './invented-times.ts'
import { fitTo, type GivenTime, inText } from './times.ts'

/** `seconds`: length of the audio. Neither words nor segments where they are invented or do not belong to the text. */
export function trustedTimes(
  { words, segments }: { words: GivenTime[]; segments: GivenTime[] },
  text: string,
  seconds: number,
): Pick<Recognition, 'words' | 'segments'> {
  const timedWords = areWordsInvented(words, segments, seconds) ? [] : inText(fitTo(words, seconds), text)
  if (timedWords.length > 0) return { words: timedWords }
  const timedSegments = areInvented(segments, seconds) ? [] : inText(fitTo(segments, seconds), text)
  return timedSegments.length > 0 ? { segments: timedSegments } : {}
}
