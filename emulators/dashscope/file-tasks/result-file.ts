// Result files in the formats of both model families.
import type { RecognisedFile } from '../../audio-matching/match-file.ts'
import type { Forms } from '../forms.ts'
import type { TaskModel } from '../models/speech.ts'
import {
  garble,
  jitterTimes,
  mergeTurns,
  numberSpeakers,
  type RecognitionErrors,
} from './recognition-errors.ts'
import { type Sentence, toSentences } from './sentences.ts'
import { milliseconds, type WordForm, wireWords } from './wire-words.ts'

/** The recognised words of one channel. */
export interface RecognisedChannel extends RecognisedFile {
  channel: number
}

export interface ResultOptions {
  url: string
  model: TaskModel
  diarize: boolean
  words: boolean
  forms: Forms
}

/** The JSON of the diarizing family. */
export function speakerResult(
  channels: RecognisedChannel[],
  options: ResultOptions,
  errors: RecognitionErrors,
) {
  const { sampleRate, codec, seconds } = channels[0]!
  return {
    file_url: options.url,
    properties: isBare(options)
      ? {}
      : {
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
          words: wireWords(sentence, index, wordForm(options, errors.seed)),
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
    audio_info: options.forms.resultDetails === 'recorded' ? {} : { format: codec, sample_rate: sampleRate },
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
          ...(options.words && { words: wireWords(sentence, index, wordForm(options, errors.seed)) }),
        })),
      }
    }),
  }
}

/** Only of qwen-audio it was recorded that `properties` is empty. */
function isBare({ model, forms }: ResultOptions): boolean {
  return forms.resultDetails === 'recorded' && model.context === 'input'
}

function wordForm({ model, forms }: ResultOptions, seed: number): WordForm {
  const isRecorded = forms.resultDetails === 'recorded'
  const isList = model.shape === 'list'
  return {
    broken: isList && forms.words === 'broken',
    loneBlanks: isRecorded && isList,
    zeroSpans: isRecorded && !isList,
    confidence: isRecorded && isList,
    seed,
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
