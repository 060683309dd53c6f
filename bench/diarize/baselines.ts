// Baselines of speaker assignment: by whole sentences, and by words as whisperX does.
import type { FileRecognition, RecognisedSentence } from '../../src/domain/ports.ts'
import type { Span } from '../../src/domain/transcript.ts'

/** A provider's number for each word, or null. */
export type Labels = (number | null)[]

/** Assigns each sentence to the speaker with the most overlap. */
export function bySentence(speakerPass: FileRecognition, textPass: FileRecognition): Labels {
  return textPass.sentences.flatMap(sentence => {
    const speaker = mostOverlap(sentence, speakerPass.sentences)
    return sentence.words!.map(() => speaker)
  })
}

/**
 * whisperX `assign_word_speakers`: the speaker with the most overlap with the word. A word outside all turns has none, or
 * with `fill_nearest` the speaker with the nearest middle of a turn.
 */
export function byWord(
  speakerPass: FileRecognition,
  textPass: FileRecognition,
  fillNearest: boolean,
): Labels {
  return textPass.sentences.flatMap(sentence =>
    sentence.words!.map(
      word =>
        mostOverlap(word, speakerPass.sentences) ??
        (fillNearest ? nearest(word, speakerPass.sentences) : null),
    ),
  )
}

function mostOverlap({ start, end }: Span, turns: RecognisedSentence[]): number | null {
  const seconds = new Map<number, number>()
  for (const turn of turns) {
    const shared = Math.min(end, turn.end) - Math.max(start, turn.start)
    if (shared > 0) seconds.set(turn.speaker!, (seconds.get(turn.speaker!) ?? 0) + shared)
  }
  return [...seconds].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null
}

function nearest(word: Span, turns: RecognisedSentence[]): number | null {
  const middle = (span: Span) => (span.start + span.end) / 2
  const far = (turn: Span) => Math.abs(middle(turn) - middle(word))
  return turns.toSorted((a, b) => far(a) - far(b))[0]?.speaker ?? null
}
