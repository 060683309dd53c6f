// Recognition of one chunk by a server with OpenAI's transcription route: OpenAI itself, or an engine of the user's own.

import { SpeechError } from '../../../domain/errors.ts'
import { contextFor } from '../../../domain/models/context.ts'
import type { Model } from '../../../domain/models/model.ts'
import { usdPerSecond } from '../../../domain/models/price.ts'
import { deadlines } from '../../../domain/network/deadlines.ts'
import type { Recogniser, RecognitionRequest } from '../../../domain/ports.ts'
import type { HttpClient, HttpResponse } from '../../http/http.ts'
import { multipartForm } from '../../http/multipart-form.ts'
import { isAboutFormat, mayBeAboutFormat, noKey, serverError, statedSeconds } from './errors.ts'
import { readResponse } from './response.ts'

export interface OpenAiServer {
  /** `http://host:8000/v1`, without a slash at the end. */
  baseUrl: string
  /** Without one, no `Authorization` is sent. */
  apiKey?: string | undefined
  http: HttpClient
}

/** False for a server of the user's own. */
export function isOpenAi(baseUrl: string): boolean {
  return new URL(baseUrl).hostname === 'api.openai.com'
}

/** The error of any request to OpenAI itself without a key. */
export function missingKey({ baseUrl, apiKey }: Omit<OpenAiServer, 'http'>): SpeechError | undefined {
  return !apiKey && isOpenAi(baseUrl) ? noKey() : undefined
}

const maxChunkSeconds = 150
const minChunkSeconds = 5

/** Formats from the most to the least: a server that refuses one is asked for the next. */
const formats = [
  [
    ['response_format', 'verbose_json'],
    ['timestamp_granularities[]', 'word'],
    ['timestamp_granularities[]', 'segment'],
  ],
  [['response_format', 'json']],
] as const

/**
 * Times are returned where the server measures them. Throws `SpeechError`; a wrong address, a refused key and an unknown
 * model have the scope `account`. `TOO_LARGE`: the chunk is too large or too long for the server; `limits` then holds
 * what the server accepts.
 */
export function openAiAsr(
  { baseUrl, apiKey, http }: OpenAiServer,
  { model, concurrency }: { model: Model; concurrency: number },
): Recogniser {
  const price = usdPerSecond(model)
  const serverModel = model.name.replace(/^openai:/, '')
  const limits = {
    maxSeconds: Math.min(model.maxSeconds ?? maxChunkSeconds, maxChunkSeconds),
    minSeconds: 1,
    concurrency,
  }
  /** Formats before this one are refused by name, for the life of the process. */
  let firstFormat = 0

  function send(request: RecognitionRequest, format: number, signal: AbortSignal): Promise<HttpResponse> {
    const { audio, mime, language, context } = request
    const { text } = contextFor(model.name, model, context)
    const fields = [
      ['model', serverModel],
      ...(language ? [['language', language] as const] : []),
      ...(text ? [['prompt', text] as const] : []),
      ...formats[format]!,
    ] as const
    const file = { name: 'chunk.mp3', type: mime, bytes: audio.length, pieces: () => [audio] }
    const { contentType, body } = multipartForm(fields, file)
    return http.request({
      method: 'POST',
      url: `${baseUrl}/audio/transcriptions`,
      headers: { ...(apiKey && { authorization: `Bearer ${apiKey}` }), 'content-type': contentType },
      body,
      deadline: deadlines.engine,
      signal,
      setting: 'OPENAI_BASE_URL',
    })
  }

  function refuse(response: HttpResponse, seconds: number): SpeechError {
    const error = serverError(response, { seconds, hasKey: apiKey !== undefined })
    if (error.code === 'TOO_LARGE') {
      const learned = Math.max(minChunkSeconds, statedSeconds(response, seconds) ?? seconds / 2)
      limits.maxSeconds = Math.min(limits.maxSeconds, learned)
    }
    return error
  }

  return {
    model: model.name,
    limits,
    takes: model,
    ...(price !== undefined && { usdPerSecond: price }),
    async recognise(request, signal) {
      const missing = missingKey({ baseUrl, apiKey })
      if (missing) throw missing
      if (request.audio.length > (model.maxBytes ?? Number.POSITIVE_INFINITY))
        throw new SpeechError('TOO_LARGE', `A chunk has more than ${model.maxBytes! / 1e6} MB.`, {
          hint: 'Set a smaller max_seconds for the model in SPEECH_MODELS.',
        })
      for (let format = firstFormat; ; format++) {
        const response = await send(request, format, signal)
        if (response.status === 200) return readResponse(response.json, model, request.seconds)
        if (format === formats.length - 1 || !mayBeAboutFormat(response))
          throw refuse(response, request.seconds)
        // Another refusal may have been about this chunk alone.
        if (isAboutFormat(response)) firstFormat = Math.max(firstFormat, format + 1)
      }
    },
  }
}
