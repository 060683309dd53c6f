// Result files in the formats of both model families.
import type { RecognisedFile } from '../../audio-matching/match-file.ts'
import type { TaskModel } from '../models/speech.ts'
import {
  garble,
  jitterTimes,
  mergeTurns,
  numberSpeakers,
  type RecognitionErrors,
} from './recognition-errors.ts'
import { type Sentence, type SpokenWord, toSentences } from './sentences.ts'

/** The recognised words of one channel. */
export interface RecognisedChannel extends RecognisedFile {
  channel: number
}

export interface ResultOptions {
  url: string
  model: TaskModel
  diarize: boolean
  words: boolean
}

const wordAndPunctuation = /^(.*?)([,.;:?!…。，、？！；：]*)$/su

/** The JSON of the diarizing family. */
export function speakerResult(
  channels: RecognisedChannel[],
  options: ResultOptions,
  errors: RecognitionErrors,
) {
  const { sampleRate, codec, seconds } = channels[0]!
  return {
    file_url: options.url,
    properties: {
      audio_format: codec,
      channels: channels.map(({ channel }) => channel),
      original_sampling_rate: sampleRate,
      original_duration_in_milliseconds: milliseconds(seconds),
    },
    transcripts: channels.map(channel => {
      const { sentences, speakers } = diarize(channel, options, errors)
      return {
        channel_id: channel.channel,
        content_duration_in_milliseconds: milliseconds(spokenSeconds(channel)),
        text: textOf(sentences),
        sentences: sentences.map((sentence, index) => ({
          ...timesOf(sentence),
          text: sentenceText(sentence),
          sentence_id: index + 1,
          ...(speakers[index] === undefined ? {} : { speaker_id: speakers[index] }),
          words: wireWords(sentence),
        })),
      }
    }),
  }
}

/** The JSON of the family without diarization. */
export function wordResult(channels: RecognisedChannel[], options: ResultOptions, errors: RecognitionErrors) {
  const { sampleRate, codec } = channels[0]!
  return {
    file_url: options.url,
    audio_info: { format: codec, sample_rate: sampleRate },
    transcripts: channels.map(({ channel, parts }) => {
      // Without word times the file is split only at pauses, so a sentence may last minutes.
      const split = toSentences(parts, { pause: 0.7, punctuation: options.words, speakers: false })
      const sentences = jitterTimes(split, errors.wordJitter / 1000, 0, errors.seed + 1)
      return {
        channel_id: channel,
        text: textOf(sentences),
        sentences: sentences.map((sentence, index) => ({
          sentence_id: index,
          ...timesOf(sentence),
          language: sentence.language ?? 'en',
          emotion: 'neutral',
          text: sentenceText(sentence),
          ...(options.words ? { words: wireWords(sentence) } : {}),
        })),
      }
    }),
  }
}

/** Seconds of speech, which the diarizing family bills. */
export function spokenSeconds({ parts }: RecognisedFile): number {
  const sentences = toSentences(parts, { pause: 0.7, punctuation: true, speakers: true })
  return sentences.reduce((sum, { words }) => sum + words.at(-1)!.end - words[0]!.start, 0)
}

function diarize(channel: RecognisedChannel, { model, diarize }: ResultOptions, errors: RecognitionErrors) {
  const { seed, mergedTurns, missingLabels } = errors
  const split = toSentences(channel.parts, { pause: 0.7, punctuation: true, speakers: diarize })
  const merged = diarize ? mergeTurns(split, mergedTurns, seed) : split
  const sentences = model.accurate
    ? jitterTimes(merged, errors.wordJitter / 1000, 0, seed + 1)
    : jitterTimes(
        garble(merged, sentence => garbledShare(sentence, model, errors), seed),
        ...([errors.jitter / 1000, errors.offset, seed] as const),
      )
  return { sentences, speakers: diarize ? numberSpeakers(sentences, missingLabels, seed) : [] }
}

function garbledShare(
  { language }: Sentence,
  { unintelligibleLanguages }: TaskModel,
  { garbled }: RecognitionErrors,
): number {
  return language && unintelligibleLanguages.includes(language) ? 1 : garbled
}

function wireWords({ words, joiner }: Sentence) {
  return words.flatMap((word, index) => {
    const [, text = '', punctuation = ''] = wordAndPunctuation.exec(word.text) ?? []
    const space = index + 1 < words.length ? joiner : ''
    const chars = joiner ? [{ ...word, text }] : charsOf({ ...word, text })
    return chars.map((char, at) => {
      const isLast = at + 1 === chars.length
      return {
        begin_time: milliseconds(char.start),
        end_time: milliseconds(char.end),
        text: char.text + (isLast && !punctuation ? space : ''),
        punctuation: isLast && punctuation ? punctuation + space : '',
      }
    })
  })
}

// In scripts without spaces each character is a word.
function charsOf(word: SpokenWord): SpokenWord[] {
  const chars = [...word.text]
  if (chars.length < 2) return [word]
  const each = (word.end - word.start) / chars.length
  return chars.map((text, at) => ({
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
