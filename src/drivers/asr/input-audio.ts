// The form of qwen-audio for chunks: `input_audio` in the request, and in the answer a text without `choices`.
import * as z from 'zod/v4'
import type { Model } from '../../domain/models/model.ts'

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
      ...(hint && (hintLanguages ?? [hint]).includes(hint) && { language_hints: [hint] }),
    },
  }
}

const text = z.string().nullish().catch(undefined)
const count = z.number().nullish().catch(undefined)
const sentence = z.object({ text }).nullish().catch(undefined)
const place = z.object({ text, sentence }).nullish().catch(undefined)

/** Workspaces have the text at the top, the shared address in `output` or `output.output`; a sentence may be the last of several. */
const answerShape = z.object({
  text,
  sentence,
  output: z.object({ text, sentence, output: place }).nullish().catch(undefined),
  usage: z.object({ duration: count, seconds: count }).loose().nullish().catch(undefined),
})

/** The same answer in the form of qwen3-asr-flash; an answer of unknown form stays as it is. */
export function asMessage(json: unknown): unknown {
  const parsed = answerShape.safeParse(json).data
  if (!parsed) return json
  const places = [parsed.output, parsed.output?.output, parsed]
  const texts = [...places.map(one => one?.text), ...places.map(one => one?.sentence?.text)]
  const found = texts.find(one => typeof one === 'string')
  if (found === undefined) return json
  const { usage } = parsed
  return {
    output: { choices: [{ finish_reason: 'stop', message: { content: [{ text: found }] } }] },
    usage: usage && { ...usage, seconds: usage.seconds ?? usage.duration },
  }
}
