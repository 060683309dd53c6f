// Where a speaker is likely to stop: behind marks and at pauses.
import type { TimedWord } from './timed-tokens.ts'

const sentenceMark = /[.!?…。！？؟।][”’"'」』）)\]]*$/u
const clauseMark = /[,;:—–，、；：،][”’"'」』）)\]]*$/u
/** Pauses (seconds) at which a clause, and a sentence, may be over. */
const [shortPause, longPause] = [0.3, 0.7]

/** How likely it is that somebody else goes on with this word, by the text and its times alone. */
export function speakerChangeProbability(words: TimedWord[], word: number): number {
  const [before, here] = [words[word - 1], words[word]]
  if (!before || !here) return 0.3
  const pause = here.start - before.end
  const said = before.text.trimEnd()
  if (sentenceMark.test(said) || pause >= longPause) return 0.3
  if (pause >= shortPause || before.sentence !== here.sentence) return 0.15
  return clauseMark.test(said) ? 0.15 : 0.1
}

/** First and behind the last word of each sentence, as far as it is said without a long pause. */
export function phrasesOf(words: TimedWord[]): [from: number, to: number][] {
  const found: [number, number][] = []
  let from = 0
  for (let i = 1; i <= words.length; i++) {
    if (i < words.length && !isBoundary(words[i - 1]!, words[i]!)) continue
    found.push([from, i])
    from = i
  }
  return found
}

function isBoundary(before: TimedWord, here: TimedWord): boolean {
  const said = before.text.trimEnd()
  return before.sentence !== here.sentence || here.start - before.end >= longPause || sentenceMark.test(said)
}
