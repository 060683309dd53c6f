// Recognition of one chunk with qwen3-asr-flash or qwen-audio over REST: audio in, text and language out.
import * as z from 'zod/v4'
import { SpeechError } from '../../domain/errors.ts'
import { contextFor } from '../../domain/models/context.ts'
import type { Model } from '../../domain/models/model.ts'
import { usdForUsage, usdPerSecond } from '../../domain/models/price.ts'
import { deadlines } from '../../domain/network/deadlines.ts'
import type { Recogniser } from '../../domain/ports.ts'
import { oneLine } from '../../domain/text.ts'
import type { Dashscope } from '../http/dashscope.ts'
import { errorResponseOf } from '../http/dashscope-errors.ts'
import type { RequestBody } from '../http/http.ts'
import { isSilence } from './file-asr/errors.ts'
import { asMessage, inputAudioRequest } from './input-audio.ts'
import { withModel } from './model-errors.ts'

const path = 'services/aigc/multimodal-generation/generation'

const count = z.number().nullish().catch(undefined)
const word = z.string().nullish().catch(undefined)

/** Only the fields that are read. An empty `content` means silence. */
const responseShape = z.object({
  output: z.object({
    choices: z
      .array(
        z.object({
          finish_reason: word,
          message: z.object({
            content: z.union([z.string().transform(text => [text]), z.array(z.unknown())]).nullish(),
            annotations: z
              .array(z.object({ language: word }).catch({}))
              .nullish()
              .catch(undefined),
          }),
        }),
      )
      .min(1),
  }),
  usage: z.object({ seconds: count, input_tokens: count, output_tokens: count }).nullish().catch(undefined),
})

export interface ChunkAsrOptions {
  model: Model
  concurrency: number
}

/** Longer chunks gain nothing, and a failed one loses more. */
const maxChunkSeconds = 170

/**
 * Limits: the API takes 1 to 300 s (180 s in older documents) and 10 MB.
 * Throws `SpeechError`; a refused key, an account in arrears and an unknown model have the scope `account` or `model`.
 */
export function chunkAsr(cloud: Dashscope, { model, concurrency }: ChunkAsrOptions): Recogniser {
  const price = usdPerSecond(model)
  return {
    model: model.name,
    limits: {
      maxSeconds: Math.min(model.maxSeconds ?? maxChunkSeconds, maxChunkSeconds),
      minSeconds: 1,
      concurrency,
    },
    takes: model,
    ...(price !== undefined && { usdPerSecond: price }),
    async recognise({ audio, mime, seconds, language, context }, signal) {
      const { text } = contextFor(model.name, model, context)
      const uri = `data:${mime};base64,${audioPlaceholder}`
      const isInputAudio = model.form === 'dashscope-input-audio'
      const request = isInputAudio
        ? inputAudioRequest(model, { audio: uri, mime, language })
        : messageRequest(model, { audio: uri, language, context: text })
      const body = withAudio(JSON.stringify(request), audio)
      const json = await cloud
        .call({ method: 'POST', path, body, deadline: deadlines.chunk }, signal)
        .catch(error => silence(error, model.name))
      if (json === undefined) return { text: '', costUsd: 0 }
      const { message, times } = isInputAudio ? asMessage(json, seconds) : { message: json }
      return { ...read(message, model, seconds), ...times }
    },
  }
}

interface MessageOptions {
  audio: string
  language?: string | undefined
  context?: string | undefined
}

function messageRequest({ name }: Model, { audio, language, context }: MessageOptions): object {
  return {
    model: name,
    input: {
      messages: [
        ...(context ? [{ role: 'system', content: [{ text: context }] }] : []),
        { role: 'user', content: [{ audio }] },
      ],
    },
    parameters: {
      result_format: 'message',
      asr_options: { ...(language && { language }), enable_itn: false },
    },
  }
}

/** Replaced by the audio at its last occurrence in the JSON, since a caller's context may contain it too. */
const audioPlaceholder = `\u0000audio\u0000`
const placeholderInJson = JSON.stringify(audioPlaceholder).slice(1, -1)
/** A multiple of three, so that the base64 of the chunks can be concatenated. */
const chunkBytes = 49_152

function withAudio(json: string, audio: Buffer): RequestBody {
  const at = json.lastIndexOf(placeholderInJson)
  const before = Buffer.from(json.slice(0, at))
  const after = Buffer.from(json.slice(at + placeholderInJson.length))
  return {
    byteLength: before.length + Math.ceil(audio.length / 3) * 4 + after.length,
    *chunks() {
      yield before
      for (let from = 0; from < audio.length; from += chunkBytes)
        yield Buffer.from(audio.toString('base64', from, from + chunkBytes), 'latin1')
      yield after
    },
  }
}

function read(json: unknown, model: Model, sentSeconds: number) {
  const parsed = responseShape.safeParse(json)
  if (!parsed.success) throw unknownShape(parsed.error.issues[0]!.path.join('.') || 'no object')
  const { output, usage } = parsed.data
  const { message, finish_reason } = output.choices[0]!
  const { content, annotations } = message
  const language = annotations?.find(annotation => annotation.language)?.language
  const costUsd = usdForUsage(model, {
    // Some snapshots report no seconds; a part of one is billed as one.
    seconds: usage?.seconds ?? Math.ceil(sentSeconds),
    inputTokens: usage?.input_tokens ?? undefined,
    outputTokens: usage?.output_tokens ?? undefined,
  })
  return {
    text: textOf(content ?? []),
    ...(finish_reason === 'length' && { isCut: true }),
    ...(language && { language: oneLine(language) }),
    ...(costUsd !== undefined && { costUsd }),
  }
}

function textOf(content: unknown[]): string {
  const pieces = content.map(item =>
    typeof item === 'string' ? item : ((item as { text?: unknown } | null)?.text ?? ''),
  )
  const texts = pieces.filter(piece => typeof piece === 'string')
  if (texts.length === 0 && pieces.length > 0) throw unknownShape('output.choices.0.message.content.0.text')
  return texts.join('')
}

/** A success may be billed, so it is not asked for again at once. */
function unknownShape(where: string): SpeechError {
  return new SpeechError('PROVIDER_FAILED', `DashScope’s answer has an unknown shape (${where}).`, {
    hint: 'Check DASHSCOPE_BASE_URL, and that ASR_MODEL names models for speech of a few minutes.',
  })
}

/** Some models of the family report audio without words as an error. */
function silence(error: unknown, name: string): undefined {
  if (isSilence(errorResponseOf(error)?.code ?? '')) return undefined
  throw withModel(error, { name, setting: 'ASR_MODEL', example: 'qwen3-asr-flash' })
}
