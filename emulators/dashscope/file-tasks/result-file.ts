// The result files of both families: the same sentences, written as each of them writes.
import type { HeardFile } from '../../audio-matching/whole.ts'
import type { TaskModel } from './models.ts'
import { garble, mergeTurns, numberSpeakers, type RecognitionErrors, shake } from './recognition-errors.ts'
import { type Sentence, type SpokenWord, toSentences } from './sentences.ts'

/** What one channel was heard to be. */
export interface HeardChannel extends HeardFile {
  channel: number
}

export interface ResultWishes {
  url: string
  model: TaskModel
  diarize: boolean
  words: boolean
}

const MARKS = /^(.*?)([,.;:?!…。，、？！；：]*)$/su

/** The JSON of the family that hears speakers. */
export function speakerResult(channels: HeardChannel[], wishes: ResultWishes, hearing: RecognitionErrors) {
  const { sampleRate, codec, seconds } = channels[0]!
  return {
    file_url: wishes.url,
    properties: {
      audio_format: codec,
      channels: channels.map(({ channel }) => channel),
      original_sampling_rate: sampleRate,
      original_duration_in_milliseconds: milliseconds(seconds),
    },
    transcripts: channels.map(heard => {
      const { sentences, speakers } = hearSpeakers(heard, wishes, hearing)
      return {
        channel_id: heard.channel,
        content_duration_in_milliseconds: milliseconds(spokenSeconds(heard)),
        text: textOf(sentences),
        sentences: sentences.map((sentence, place) => ({
          ...timesOf(sentence),
          text: sentenceText(sentence),
          sentence_id: place + 1,
          ...(speakers[place] === undefined ? {} : { speaker_id: speakers[place] }),
          words: wireWords(sentence),
        })),
      }
    }),
  }
}

/** The JSON of the family that hears words. */
export function wordResult(channels: HeardChannel[], wishes: ResultWishes, hearing: RecognitionErrors) {
  const { sampleRate, codec } = channels[0]!
  return {
    file_url: wishes.url,
    audio_info: { format: codec, sample_rate: sampleRate },
    transcripts: channels.map(({ channel, parts }) => {
      // Without words the file is divided at pauses alone, so that a sentence may be minutes long.
      const divided = toSentences(parts, { pause: 0.7, punctuation: wishes.words, speakers: false })
      const sentences = shake(divided, hearing.wordJitter / 1000, 0, hearing.seed + 1)
      return {
        channel_id: channel,
        text: textOf(sentences),
        sentences: sentences.map((sentence, place) => ({
          sentence_id: place,
          ...timesOf(sentence),
          language: sentence.language ?? 'en',
          emotion: 'neutral',
          text: sentenceText(sentence),
          ...(wishes.words ? { words: wireWords(sentence) } : {}),
        })),
      }
    }),
  }
}

/** Seconds in which somebody speaks: what the family that hears speakers bills. */
export function spokenSeconds({ parts }: HeardFile): number {
  const sentences = toSentences(parts, { pause: 0.7, punctuation: true, speakers: true })
  return sentences.reduce((sum, { words }) => sum + words.at(-1)!.end - words[0]!.start, 0)
}

function hearSpeakers(heard: HeardChannel, { model, diarize }: ResultWishes, hearing: RecognitionErrors) {
  const { seed, mergedTurns, missingLabels } = hearing
  const divided = toSentences(heard.parts, { pause: 0.7, punctuation: true, speakers: diarize })
  const noticed = diarize ? mergeTurns(divided, mergedTurns, seed) : divided
  const sentences = model.clear
    ? shake(noticed, hearing.wordJitter / 1000, 0, seed + 1)
    : shake(
        garble(noticed, sentence => shareOf(sentence, model, hearing), seed),
        ...([hearing.jitter / 1000, hearing.offset, seed] as const),
      )
  return { sentences, speakers: diarize ? numberSpeakers(sentences, missingLabels, seed) : [] }
}

function shareOf({ language }: Sentence, { deafTo }: TaskModel, { garbled }: RecognitionErrors): number {
  return language && deafTo.includes(language) ? 1 : garbled
}

function wireWords({ words, joiner }: Sentence) {
  return words.flatMap((word, place) => {
    const [, text = '', marks = ''] = MARKS.exec(word.text) ?? []
    const space = place + 1 < words.length ? joiner : ''
    const signs = joiner ? [{ ...word, text }] : signsOf({ ...word, text })
    return signs.map((sign, at) => {
      const isLast = at + 1 === signs.length
      return {
        begin_time: milliseconds(sign.start),
        end_time: milliseconds(sign.end),
        text: sign.text + (isLast && !marks ? space : ''),
        punctuation: isLast && marks ? marks + space : '',
      }
    })
  })
}

// Where words are not divided, each sign is a word of its own.
function signsOf(word: SpokenWord): SpokenWord[] {
  const signs = [...word.text]
  if (signs.length < 2) return [word]
  const each = (word.end - word.start) / signs.length
  return signs.map((text, at) => ({
    ...word,
    text,
    start: word.start + at * each,
    end: word.start + (at + 1) * each,
  }))
}

function timesOf({ words }: Sentence) {
  return {
    begin_time: milliseconds(words[0]!.start),
    end_time: milliseconds(Math.max(...words.map(word => word.end))),
  }
}

function textOf(sentences: Sentence[]): string {
  return sentences.map((one, at) => (at > 0 ? one.joiner : '') + sentenceText(one)).join('')
}

function sentenceText({ words, joiner }: Sentence): string {
  return words.map(word => word.text).join(joiner)
}

function milliseconds(seconds: number): number {
  return Math.max(0, Math.round(seconds * 1000))
}
