// Qwen, and whatever else DashScope has that writes text: one request in, the answer as it comes.
import * as z from 'zod/v4'
import type { GenerateOptions, TextAnswer, TextRequest } from '../../../domain/text-model.ts'
import { errorResponseOf, type StreamingDashscope } from '../../http/dashscope.ts'
import { createDeltas } from '../deltas.ts'
import { longestAnswer, mustThink, type QwenRoute, qwenRoute } from '../models.ts'
import {
  acceptedOnce,
  type Draft,
  finished,
  jsonBody,
  type ProviderModel,
  unknownShape,
} from '../provider-model.ts'
import { inTextTerms } from './errors.ts'

const paths: Record<QwenRoute, string> = {
  'text-generation': 'services/aigc/text-generation/generation',
  'multimodal-generation': 'services/aigc/multimodal-generation/generation',
}

/** Milliseconds: a frame that refuses follows the head of its answer at once, the first one of a text when it is written. */
const refusedWithin = 250

const content = z.union([z.string(), z.array(z.object({ text: z.string().nullish() }))]).nullish()

/** Only what is read. Old models have no choices; thoughts stand in `reasoning_content` and are left there. */
const frame = z.object({
  output: z.object({
    text: z.string().nullish(),
    finish_reason: z.string().nullish(),
    choices: z
      .array(z.object({ finish_reason: z.string().nullish(), message: z.object({ content }).nullish() }))
      .nullish(),
  }),
  usage: z
    .object({ input_tokens: z.number().nullish(), output_tokens: z.number().nullish() })
    .nullish()
    .catch(undefined),
})

/** Throws `SpeechError`, in terms of texts and of FORMAT_MODELS. */
export function qwenText(
  cloud: StreamingDashscope,
  options: { model: string; concurrency: number },
): ProviderModel {
  const { model, concurrency } = options
  let route = qwenRoute(model)

  async function ask(by: QwenRoute, request: TextRequest, listener: GenerateOptions): Promise<TextAnswer> {
    const body = jsonBody(bodyOf(model, by, request))
    const once = acceptedOnce(listener)
    let timer: NodeJS.Timeout | undefined
    const frames = cloud.stream({ method: 'POST', path: paths[by], body }, listener.signal, () => {
      timer = setTimeout(() => once.onAccepted?.(), refusedWithin)
    })
    try {
      return finished(model, await read(frames, once))
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    name: model,
    provider: 'DashScope',
    key: `${model} at ${cloud.baseUrl}`,
    models: [model],
    concurrency,
    async generate(request, listener) {
      const first = route
      try {
        return await ask(first, request, listener).catch(error => {
          if (!errorResponseOf(error)?.wrongRoute) throw error
          // Nothing was written and nothing is billed; whoever comes next knows the way.
          if (route === first) route = otherThan(first)
          return ask(otherThan(first), request, listener)
        })
      } catch (error) {
        throw inTextTerms(error, model)
      }
    },
  }
}

function otherThan(route: QwenRoute): QwenRoute {
  return route === 'text-generation' ? 'multimodal-generation' : 'text-generation'
}

function bodyOf(model: string, route: QwenRoute, { system, user, maxTokens }: TextRequest): object {
  const isText = route === 'text-generation'
  const say = (role: string, text: string) => ({ role, content: isText ? text : [{ text }] })
  const most = Math.min(maxTokens, longestAnswer(model))
  return {
    model,
    input: { messages: [say('system', system), say('user', user)] },
    parameters: {
      result_format: 'message',
      incremental_output: true,
      temperature: 0.2,
      // `max_tokens` was replaced in May 2026, after the models of this route.
      ...(isText ? { max_tokens: most } : { max_completion_tokens: most }),
      ...(!mustThink(model) && { enable_thinking: false }),
    },
  }
}

async function read(
  frames: AsyncIterable<unknown>,
  { signal, onAccepted, onText }: GenerateOptions,
): Promise<Draft> {
  const deltas = createDeltas()
  let ending: Draft['ending']
  let usage = { inputTokens: 0, outputTokens: 0 }
  try {
    for await (const json of frames) {
      const parsed = frame.safeParse(json)
      if (!parsed.success) throw unknownShape('DASHSCOPE_BASE_URL')
      onAccepted?.()
      const { output, usage: told } = parsed.data
      const choice = output.choices?.[0]
      deltas.add(textOf(choice ? choice.message?.content : output.text))
      ending = endingOf(choice ? choice.finish_reason : output.finish_reason) ?? ending
      usage = {
        inputTokens: told?.input_tokens ?? usage.inputTokens,
        outputTokens: told?.output_tokens ?? usage.outputTokens,
      }
      onText?.(deltas.length())
    }
  } catch (error) {
    // A connection that breaks after the end of the answer costs nothing.
    if (!ending || signal.aborted) throw error
  }
  return { text: deltas.text(), ending, usage }
}

function textOf(said: z.infer<typeof content>): string {
  if (typeof said === 'string') return said
  return (said ?? []).map(({ text }) => text ?? '').join('')
}

/** While the answer goes on, the reason is the word "null". */
function endingOf(reason: string | null | undefined): Draft['ending'] {
  if (!reason || reason === 'null') return undefined
  return reason === 'stop' ? 'whole' : 'cut'
}
