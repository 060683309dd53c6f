// The answer of qwen-audio for a chunk: a text without `choices`, and sentences where they are asked for.
import { randomUUID } from 'node:crypto'
import type { RecognisedAudio } from '../../audio-matching/match-audio.ts'
import { type Sentence, type SpokenWord, toSentences } from '../file-tasks/sentences.ts'
import { milliseconds, wireWords } from '../file-tasks/wire-words.ts'
import type { Forms } from '../forms.ts'

interface Answer {
  text: string
  seconds: number
  recognised: RecognisedAudio
  /** `speaker_diarization_enabled`, which is what asks for sentences (recorded). */
  hasSpeakers: boolean
}

/** Recorded of the shared address, which has the output twice; in the tidy form it is there once. */
export function inputAudioAnswer({ text, seconds, recognised, hasSpeakers }: Answer, forms: Forms) {
  const place = typeof forms.resultPlace === 'function' ? forms.resultPlace('qwen-audio') : forms.resultPlace
  const result = { text, ...(text === recognised.text && sentencesOf(recognised, hasSpeakers, forms)) }
  const output = place === 'results' ? result : { ...result, output: result }
  return { output, usage: { duration: seconds }, request_id: randomUUID() }
}

/** `sentence` is all of the audio; with speakers it is the last of `sentences`, which end where speech pauses. */
function sentencesOf({ words, joiner }: RecognisedAudio, hasSpeakers: boolean, forms: Forms) {
  if (words.length === 0) return {}
  const spoken = [{ at: 0, recording: 'chunk', words, joiner }]
  const pause = hasSpeakers ? 0.7 : Number.POSITIVE_INFINITY
  const split = toSentences(spoken, {
    pause,
    punctuation: false,
    speakers: hasSpeakers,
    maxWords: Number.POSITIVE_INFINITY,
  })
  const people = [...new Set(split.flatMap(({ words }) => words.map(({ person }) => person)))]
  const speaker = ({ person }: SpokenWord) => (hasSpeakers ? { speaker_id: people.indexOf(person) } : {})
  const sentences = split.map((sentence, i) => wireSentence(sentence, i, speaker, forms))
  return { sentence: sentences.at(-1), ...(hasSpeakers && { sentences }) }
}

function wireSentence(
  { words, joiner }: Sentence,
  index: number,
  speaker: (word: SpokenWord) => { speaker_id?: number },
  { words: form }: Forms,
) {
  const [first, last] = [words[0]!, words.at(-1)!]
  return {
    sentence_id: index + 1,
    sentence_end: true,
    channel_id: 0,
    begin_time: milliseconds(first.start),
    end_time: milliseconds(last.end),
    text: words.map(({ text }) => text).join(joiner),
    ...speaker(first),
    words: wireWords({ words, joiner }, index, {
      broken: form === 'broken',
      loneBlanks: false,
      zeroSpans: false,
      confidence: false,
      seed: 1,
    }).map(({ punctuation, ...word }) => ({
      ...word,
      // Recorded: only the text of the sentence has punctuation.
      punctuation: form === 'broken' ? '' : punctuation,
      fixed: true,
      ...speaker(first),
    })),
  }
}
