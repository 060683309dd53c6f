// Rates how likely a speaker stops before a word: at punctuation and pauses.
import type { TimedWord } from './timed-tokens.ts'

const sentenceEnd = /[.!?…。！？؟।][”’"'」』）)\]]*$/u
const clauseEnd = /[,;:—–，、；：،][”’"'」』）)\]]*$/u
/** Pauses at which a clause, and a sentence, may be over. */
const clausePauseSeconds = 0.3
const sentencePauseSeconds = 0.7

/** Probability of another speaker from this word on, by the text and its times alone. */
export function speakerChangeProbability(words: TimedWord[], word: number): number {
  const [previous, next] = [words[word - 1], words[word]]
  if (!previous || !next) return 0.3
  const pause = next.start - previous.end
  const text = previous.text.trimEnd()
  if (sentenceEnd.test(text) || pause >= sentencePauseSeconds) return 0.3
  if (pause >= clausePauseSeconds || previous.sentence !== next.sentence) return 0.15
  return clauseEnd.test(text) ? 0.15 : 0.1
}

/** Ranges of words of each phrase: a sentence, or a part of it between long pauses. */
export function* phrasesOf(words: TimedWord[]): Generator<[from: number, to: number]> {
  let from = 0
  for (let i = 1; i <= words.length; i++) {
    if (i < words.length && !isBreak(words[i - 1]!, words[i]!)) continue
    yield [from, i]
    from = i
  }
}

function isBreak(previous: TimedWord, next: TimedWord): boolean {
  return (
    previous.sentence !== next.sentence ||
    next.start - previous.end >= sentencePauseSeconds ||
    sentenceEnd.test(previous.text.trimEnd())
  )
}
