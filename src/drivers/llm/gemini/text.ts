// Gemini over `generateContent`: one request in, the answer as it comes.
import * as z from 'zod/v4'
import { SpeechError } from '../../../domain/errors.ts'
import type { GenerateOptions, TextAnswer, TextRequest } from '../../../domain/text-model.ts'
import type { HttpClient } from '../../http/http.ts'
import { readEvents, readJsonBody } from '../../http/sse.ts'
import { createDeltas } from '../deltas.ts'
import { takesNoThinking } from '../models.ts'
import { type Draft, finished, jsonBody, type ProviderModel, unknownShape } from '../provider-model.ts'
import { answeredWith, geminiError, isAboutThinking } from './errors.ts'

export interface GeminiOptions {
  model: string
  apiKey: string
  /** With its version, without a slash at the end. */
  baseUrl: string
  http: HttpClient
  concurrency: number
}

/** Tokens that a model may think before it writes, where it cannot be kept from it: they count as its answer. */
const roomForThoughts = 4096

/** Only what is read. `parts` that are thoughts say so. */
const frame = z.object({
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

/** Throws `SpeechError`, in terms of the settings of Gemini. */
export function geminiText({ model, apiKey, baseUrl, http, concurrency }: GeminiOptions): ProviderModel {
  let forbidsThinking = takesNoThinking(model)

  async function ask(request: TextRequest, listener: GenerateOptions, forbid: boolean): Promise<TextAnswer> {
    const { status, text } = await http.stream({
      method: 'POST',
      url: `${baseUrl}/models/${encodeURIComponent(model)}:streamGenerateContent?alt=sse`,
      headers: { 'x-goog-api-key': apiKey, accept: 'text/event-stream' },
      body: jsonBody(requestOf(request, forbid)),
      signal: listener.signal,
      setting: 'GEMINI_BASE_URL',
    })
    if (status !== 200) throw geminiError(status, await readJsonBody(text), model)
    listener.onAccepted?.()
    const { version, ...draft } = await read(text, listener, model)
    return finished(version ?? model, draft)
  }

  return {
    name: model,
    provider: 'Gemini',
    key: `${model} at ${baseUrl}`,
    models: [model],
    concurrency,
    async generate(request, listener) {
      const forbid = forbidsThinking
      try {
        return await ask(request, listener, forbid)
      } catch (error) {
        if (!forbid || !isAboutThinking(error)) throw error
        // Another model answers to this name by now (2.5 is led to 3.5 from December 2026 on), and takes no budget.
        forbidsThinking = false
        return ask(request, listener, false)
      }
    },
  }
}

function requestOf({ system, user, maxTokens }: TextRequest, forbidThinking: boolean): object {
  return {
    systemInstruction: { parts: [{ text: system }] },
    contents: [{ role: 'user', parts: [{ text: user }] }],
    generationConfig: {
      temperature: 0.2,
      maxOutputTokens: forbidThinking ? maxTokens : maxTokens + roomForThoughts,
      ...(forbidThinking && { thinkingConfig: { thinkingBudget: 0 } }),
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
      if (answeredWith(json)) throw geminiError(200, json, model)
      const parsed = frame.safeParse(json)
      if (!parsed.success) throw unknownShape('GEMINI_BASE_URL')
      const { candidates, promptFeedback, usageMetadata: told, modelVersion } = parsed.data
      if (promptFeedback?.blockReason) throw refused(model)
      const [candidate] = candidates ?? []
      const parts = candidate?.content?.parts ?? []
      deltas.add(parts.map(({ text, thought }) => (thought ? '' : (text ?? ''))).join(''))
      draft.ending = endingOf(candidate?.finishReason, model) ?? draft.ending
      if (modelVersion) draft.version = modelVersion
      if (told)
        draft.usage = {
          inputTokens: told.promptTokenCount ?? 0,
          outputTokens: (told.candidatesTokenCount ?? 0) + (told.thoughtsTokenCount ?? 0),
        }
      onText?.(deltas.length())
    }
  } catch (error) {
    // A connection that breaks after the end of the answer costs nothing.
    if (!draft.ending || signal.aborted) throw error
  }
  return { ...draft, text: deltas.text() }
}

/** Every other reason, of some twenty, says that this text is not to be had from this model. */
function endingOf(reason: string | null | undefined, model: string): Draft['ending'] {
  if (!reason || reason === 'FINISH_REASON_UNSPECIFIED') return undefined
  if (reason === 'STOP') return 'whole'
  if (reason === 'MAX_TOKENS') return 'cut'
  throw refused(model)
}

function refused(model: string): SpeechError {
  return new SpeechError('CONTENT_REFUSED', `The content check of ${model} refused this text.`, {
    hint: 'Another provider in FORMAT_MODELS may take it.',
  })
}
