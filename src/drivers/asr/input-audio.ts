// The form of qwen-audio for chunks: `input_audio` in the request, and in the answer a text without `choices`.
import * as z from 'zod/v4'
import type { Model } from '../../domain/models/model.ts'
import { joinText } from '../../domain/text.ts'
import { trustedTimes } from './given-times.ts'
import type { GivenTime } from './times.ts'

export interface InputAudio {
  /** A data URI. */
  audio: string
  /** `audio/mpeg` and the like. */
  mime: string
  language?: string | undefined
}

export function inputAudioRequest(
  { name, hintLanguages }: Model,
  { audio, mime, language }: InputAudio,
): object {
  const hint = language === 'fil' ? 'tl' : language
  return {
    model: name,
    input: {
      messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: audio } }] }],
    },
    parameters: {
      // Required (API reference).
      format: mime === 'audio/mpeg' ? 'mp3' : mime.replace(/^audio\/(x-)?/, ''),
      // Asks for sentences and their times, too: without it all of the audio is one (recorded).
      speaker_diarization_enabled: true,
      ...(hint && (hintLanguages ?? [hint]).includes(hint) && { language_hints: [hint] }),
    },
  }
}

const text = z.string().nullish().catch(undefined)
const count = z.number().nullish().catch(undefined)
/** In milliseconds. */
const span = { begin_time: count, end_time: count }
const list = <T extends z.ZodType>(item: T) => z.array(item).nullish().catch(undefined)
const words = list(z.object({ ...span, text }))
const sentenceShape = z.object({ ...span, text, words })
const placeShape = z.object({
  text,
  sentence: sentenceShape.nullish().catch(undefined),
  sentences: list(sentenceShape),
})

/** Workspaces have the text at the top, the shared address in `output` or `output.output`; a sentence may be the last of several. */
const answerShape = placeShape.extend({
  output: placeShape
    .extend({ output: placeShape.nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
  usage: z.object({ duration: count, seconds: count }).loose().nullish().catch(undefined),
})

/** The same answer in the form of qwen3-asr-flash, and its times; an answer of unknown form stays as it is. */
export function asMessage(json: unknown, seconds: number): { message: unknown; times?: Times } {
  const parsed = answerShape.safeParse(json).data
  const places = parsed ? [parsed.output, parsed.output?.output, parsed] : []
  const sentences =
    places.find(one => one?.sentences?.length)?.sentences ??
    places.flatMap(one => one?.sentence ?? []).slice(0, 1)
  const spoken = sentences.flatMap(({ text }) => text ?? [])
  const joined = spoken.length > 0 ? [spoken.reduce(joinText)] : []
  const texts = [...places.flatMap(one => one?.text ?? []), ...joined].map(one => one.trim())
  const found = texts.find(one => one !== '') ?? texts[0]
  if (!parsed || found === undefined) return { message: json }
  const given = {
    words: sentences.flatMap(({ words }) => timesOf(words ?? [])),
    segments: timesOf(sentences),
  }
  const { usage } = parsed
  return {
    message: {
      output: { choices: [{ finish_reason: 'stop', message: { content: [{ text: found }] } }] },
      usage: usage && { ...usage, seconds: usage.seconds ?? usage.duration },
    },
    times: trustedTimes(given, found, seconds),
  }
}

type Times = ReturnType<typeof trustedTimes>

function timesOf(items: Omit<z.output<typeof sentenceShape>, 'words'>[]): GivenTime[] {
  return items.flatMap(({ text, begin_time: start, end_time: end }) =>
    text && start != null && end != null ? [{ text, start: start / 1000, end: end / 1000 }] : [],
  )
}
