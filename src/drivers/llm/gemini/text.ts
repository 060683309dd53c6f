// Gemini text models over `streamGenerateContent`: one request in, a streamed answer out.
import * as z from 'zod/v4'
import { SpeechError } from '../../../domain/errors.ts'
import { type Model, modelKey } from '../../../domain/models/model.ts'
import { tokenPrice } from '../../../domain/models/price.ts'
import { deadlines } from '../../../domain/network/deadlines.ts'
import { oneLine } from '../../../domain/text.ts'
import type { GenerateOptions, TextAnswer, TextRequest } from '../../../domain/text-model.ts'
import type { HttpClient } from '../../http/http.ts'
import { readEvents, readJsonBody } from '../../http/sse.ts'
import { createDeltas } from '../deltas.ts'
import { type Draft, finished, jsonBody, type ProviderModel, unknownShape } from '../provider-model.ts'
import { geminiError, hasError, isAboutThinking } from './errors.ts'

export interface GeminiOptions {
  model: Model
  /** Facts of the model that a response names: the provider may redirect one to another. */
  find(name: string): Model
  apiKey: string
  /** With its version, without a slash at the end. */
  baseUrl: string
  http: HttpClient
  concurrency: number
}

/** Tokens for thoughts of a model that cannot be kept from thinking: they count as output. */
const thoughtTokens = 4096

/** Only the fields that are read. */
const eventShape = z.object({
  candidates: z
    .array(
      z.object({
        content: z
          .object({
            parts: z
              .array(z.object({ text: z.string().nullish(), thought: z.boolean().nullish() }))
              .nullish(),
          })
          .nullish(),
        finishReason: z.string().nullish(),
      }),
    )
    .nullish(),
  promptFeedback: z.object({ blockReason: z.string().nullish() }).nullish(),
  usageMetadata: z
    .object({
      promptTokenCount: z.number().nullish(),
      candidatesTokenCount: z.number().nullish(),
      thoughtsTokenCount: z.number().nullish(),
    })
    .nullish()
    .catch(undefined),
  modelVersion: z.string().nullish(),
})

/** Throws `SpeechError` whose hints are about the settings of Gemini. */
export function geminiText({
  model,
  find,
  apiKey,
  baseUrl,
  http,
  concurrency,
}: GeminiOptions): ProviderModel {
  const { name } = model
  const price = tokenPrice(model)
  let disablesThinking = model.thinking === 'budget'

  async function ask(
    request: TextRequest,
    options: GenerateOptions,
    noThinking: boolean,
  ): Promise<TextAnswer> {
    const { status, text, retryAfterSeconds } = await http.stream({
      method: 'POST',
      url: `${baseUrl}/models/${encodeURIComponent(name)}:streamGenerateContent?alt=sse`,
      headers: { 'x-goog-api-key': apiKey, accept: 'text/event-stream' },
      body: jsonBody(requestOf(request, noThinking)),
      deadline: deadlines.text,
      signal: options.signal,
      setting: 'GEMINI_BASE_URL',
    })
    if (status !== 200) throw geminiError(status, await readJsonBody(text), name, retryAfterSeconds)
    options.onAccepted?.()
    const { version, ...draft } = await read(text, options, name)
    return finished(version === undefined ? model : find(version), draft)
  }

  return {
    name,
    provider: 'Gemini',
    key: modelKey(name, baseUrl),
    models: [name],
    concurrency,
    ...(price && { price }),
    async generate(request, options) {
      const noThinking = disablesThinking
      try {
        return await ask(request, options, noThinking)
      } catch (error) {
        if (!noThinking || !isAboutThinking(error)) throw error
        // The name now leads to another model (2.5 redirects to 3.5 from December 2026 on), which rejects a budget.
        disablesThinking = false
        return ask(request, options, false)
      }
    },
  }
}

function requestOf({ system, user, maxTokens }: TextRequest, disableThinking: boolean): object {
  return {
    systemInstruction: { parts: [{ text: system }] },
    contents: [{ role: 'user', parts: [{ text: user }] }],
    generationConfig: {
      temperature: 0.2,
      maxOutputTokens: disableThinking ? maxTokens : maxTokens + thoughtTokens,
      ...(disableThinking && { thinkingConfig: { thinkingBudget: 0 } }),
    },
  }
}

async function read(
  pieces: AsyncIterable<string>,
  { signal, onText }: GenerateOptions,
  model: string,
): Promise<Draft & { version?: string }> {
  const deltas = createDeltas()
  const draft: Omit<Draft, 'text'> & { version?: string } = {
    ending: undefined,
    usage: { inputTokens: 0, outputTokens: 0 },
  }
  try {
    for await (const { json } of readEvents(pieces)) {
      if (hasError(json)) throw geminiError(200, json, model)
      const parsed = eventShape.safeParse(json)
      if (!parsed.success) throw unknownShape('GEMINI_BASE_URL')
      const { candidates, promptFeedback, usageMetadata, modelVersion } = parsed.data
      if (promptFeedback?.blockReason) throw refused(model)
      const [candidate] = candidates ?? []
      const parts = candidate?.content?.parts ?? []
      deltas.add(parts.map(({ text, thought }) => (thought ? '' : (text ?? ''))).join(''))
      draft.ending = endingOf(candidate?.finishReason, model) ?? draft.ending
      if (modelVersion) draft.version = oneLine(modelVersion)
      if (usageMetadata)
        draft.usage = {
          inputTokens: usageMetadata.promptTokenCount ?? 0,
          outputTokens: (usageMetadata.candidatesTokenCount ?? 0) + (usageMetadata.thoughtsTokenCount ?? 0),
        }
      onText?.(deltas.length())
    }
  } catch (error) {
    // A connection that breaks after the end of the answer does no harm.
    if (!draft.ending || signal.aborted) throw error
  }
  return { ...draft, text: deltas.text() }
}

/** The other reasons, some twenty, all mean that the model refuses this text. */
function endingOf(reason: string | null | undefined, model: string): Draft['ending'] {
  if (!reason || reason === 'FINISH_REASON_UNSPECIFIED') return undefined
  if (reason === 'STOP') return 'whole'
  if (reason === 'MAX_TOKENS') return 'cut'
  throw refused(model)
}

function refused(model: string): SpeechError {
  return new SpeechError('CONTENT_REFUSED', `The content check of ${model} refused this text.`, {
    hint: 'Another provider in FORMAT_MODELS may accept it.',
  })
}
