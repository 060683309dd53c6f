// Text models of DashScope, such as Qwen: one request in, a streamed answer out.
import * as z from 'zod/v4'
import { type Model, modelKey } from '../../../domain/models/model.ts'
import { tokenPrice } from '../../../domain/models/price.ts'
import { deadlines } from '../../../domain/network/deadlines.ts'
import type { GenerateOptions, TextAnswer, TextRequest } from '../../../domain/text-model.ts'
import type { StreamingDashscope } from '../../http/dashscope.ts'
import { errorResponseOf } from '../../http/dashscope-errors.ts'
import { createDeltas } from '../deltas.ts'
import {
  acceptedOnce,
  type Draft,
  finished,
  jsonBody,
  type ProviderModel,
  unknownShape,
} from '../provider-model.ts'
import { inFormattingTerms } from './errors.ts'

type QwenForm = 'qwen-text' | 'qwen-multimodal'

const paths: Record<QwenForm, string> = {
  'qwen-text': 'services/aigc/text-generation/generation',
  'qwen-multimodal': 'services/aigc/multimodal-generation/generation',
}

/** A refusal follows the status of a response at once; the first text takes longer. */
const refusalTimeoutMs = 250

const content = z.union([z.string(), z.array(z.object({ text: z.string().nullish() }))]).nullish()

/** Only the fields that are read. Old models have no choices; thoughts are in `reasoning_content`, which is ignored. */
const eventShape = z.object({
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

/** Throws `SpeechError` whose hints are about texts and FORMAT_MODELS. */
export function qwenText(
  cloud: StreamingDashscope,
  options: { model: Model; concurrency: number },
): ProviderModel {
  const { model, concurrency } = options
  const price = tokenPrice(model)
  let form: QwenForm = model.form === 'qwen-multimodal' ? 'qwen-multimodal' : 'qwen-text'

  async function ask(by: QwenForm, request: TextRequest, options: GenerateOptions): Promise<TextAnswer> {
    const body = jsonBody(bodyOf(model, by, request))
    const once = acceptedOnce(options)
    let timer: NodeJS.Timeout | undefined
    const call = { method: 'POST', path: paths[by], body, deadline: deadlines.text } as const
    const events = cloud.stream(call, options.signal, () => {
      timer = setTimeout(() => once.onAccepted?.(), refusalTimeoutMs)
    })
    try {
      return finished(model, await read(events, once))
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    name: model.name,
    provider: 'DashScope',
    key: modelKey(model.name, cloud.baseUrl),
    models: [model.name],
    concurrency,
    ...(price && { price }),
    async generate(request, options) {
      const first = form
      try {
        return await ask(first, request, options).catch(error => {
          if (!errorResponseOf(error)?.wrongRoute) throw error
          // Nothing was generated or billed; later requests use the right form.
          if (form === first) form = otherThan(first)
          return ask(otherThan(first), request, options)
        })
      } catch (error) {
        throw inFormattingTerms(error, model.name)
      }
    },
  }
}

function otherThan(form: QwenForm): QwenForm {
  return form === 'qwen-text' ? 'qwen-multimodal' : 'qwen-text'
}

function bodyOf(model: Model, form: QwenForm, { system, user, maxTokens }: TextRequest): object {
  const isText = form === 'qwen-text'
  const message = (role: string, text: string) => ({ role, content: isText ? text : [{ text }] })
  const maxOutputTokens = Math.min(maxTokens, model.maxAnswerTokens ?? Number.POSITIVE_INFINITY)
  return {
    model: model.name,
    input: { messages: [message('system', system), message('user', user)] },
    parameters: {
      result_format: 'message',
      incremental_output: true,
      temperature: 0.2,
      // `max_tokens` was replaced in May 2026, after the models of this route.
      ...(isText ? { max_tokens: maxOutputTokens } : { max_completion_tokens: maxOutputTokens }),
      ...(model.thinking !== 'always' && { enable_thinking: false }),
    },
  }
}

async function read(
  events: AsyncIterable<unknown>,
  { signal, onAccepted, onText }: GenerateOptions,
): Promise<Draft> {
  const deltas = createDeltas()
  let ending: Draft['ending']
  let usage = { inputTokens: 0, outputTokens: 0 }
  try {
    for await (const json of events) {
      const parsed = eventShape.safeParse(json)
      if (!parsed.success) throw unknownShape('DASHSCOPE_BASE_URL')
      onAccepted?.()
      const { output, usage: reported } = parsed.data
      const choice = output.choices?.[0]
      deltas.add(textOf(choice ? choice.message?.content : output.text))
      ending = endingOf(choice ? choice.finish_reason : output.finish_reason) ?? ending
      usage = {
        inputTokens: reported?.input_tokens ?? usage.inputTokens,
        outputTokens: reported?.output_tokens ?? usage.outputTokens,
      }
      onText?.(deltas.length())
    }
  } catch (error) {
    // A connection that breaks after the end of the answer does no harm.
    if (!ending || signal.aborted) throw error
  }
  return { text: deltas.text(), ending, usage }
}

function textOf(parts: z.infer<typeof content>): string {
  if (typeof parts === 'string') return parts
  return (parts ?? []).map(({ text }) => text ?? '').join('')
}

/** Until the answer ends, the reason is the word "null". */
function endingOf(reason: string | null | undefined): Draft['ending'] {
  if (!reason || reason === 'null') return undefined
  return reason === 'stop' ? 'whole' : 'cut'
}
