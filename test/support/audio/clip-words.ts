// Judges clips by the words of the fixtures: each of them is wholly in a clip or wholly out of it.
import type { Segment, Span } from '../../../src/domain/transcript.ts'
import type { Truth } from '../e2e/system.ts'

/** The truth files are as accurate as this. */
export const truthSeconds = 0.02

/** Words through which one of these times goes. */
export function wordsCutAt({ words }: Truth, times: readonly number[]): string[] {
  const isIn = ({ start, end }: Span, time: number) =>
    time > start + truthSeconds && time < end - truthSeconds
  return words
    .filter(word => times.some(time => isIn(word, time)))
    .map(({ text, start }) => `${text} ${start}`)
}

/** Sentences of a fixture; with the times of their words, or estimated. */
export function sentencesOf({ words, joiner }: Truth, estimated: boolean): Segment[] {
  const sentences: Truth['words'][] = [[]]
  for (const word of words) {
    sentences.at(-1)!.push(word)
    if (/[.?!。！？]["”]?$/.test(word.text)) sentences.push([])
  }
  return sentences
    .filter(own => own.length > 0)
    .map(own => ({
      start: own[0]!.start,
      end: own.at(-1)!.end,
      text: own.map(({ text }) => text).join(joiner),
      estimated,
      ...(!estimated && { words: own.map(({ text, start, end }) => ({ text, start, end })) }),
    }))
}

/** Numbers between 0 and 1, the same for a seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}
