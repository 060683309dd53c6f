// Schema of SPEECH_MODELS: facts from the user about models that are in no table, or that differ here.
import * as z from 'zod/v4'
import type { ModelDescription } from '../domain/models/catalog.ts'
import type { ModelForm, ModelProvider } from '../domain/models/model.ts'

const example = 'my-asr form=dashscope-message usd_per_second=0.00001; other-asr max_seconds=60'
const amount = z.coerce.number().min(0)
const factsShape = z.strictObject({
  form: z
    .enum([
      'dashscope-message',
      'dashscope-input-audio',
      'dashscope-file-list',
      'dashscope-file',
      'openai-transcription',
      'qwen-text',
      'qwen-multimodal',
      'gemini',
    ])
    .optional(),
  roles: z
    .string()
    .transform(text => text.split('+'))
    .pipe(z.array(z.enum(['chunk', 'words', 'speakers', 'one-pass', 'text'])))
    .optional(),
  usd_per_second: amount.optional(),
  usd_per_million_input: amount.optional(),
  usd_per_million_output: amount.optional(),
  per_minute: z.coerce.number().int().min(1).optional(),
  max_seconds: z.coerce.number().min(5).optional(),
})

/** Models separated by `;`, each a name and facts as `key=value`. Facts that are not given stay as they are known. */
export const modelDescriptions = z.string().transform((text, context): ModelDescription[] => {
  const described = text
    .split(';')
    .map(part => part.trim().split(/\s+/))
    .filter(([name]) => name)
    .map(([name, ...facts]) => describe(name!, facts))
  const valid = described.filter(model => model !== undefined)
  if (valid.length < described.length || valid.length === 0)
    context.addIssue(`names and facts of models such as ${example}`)
  return valid
})

function describe(name: string, facts: string[]): ModelDescription | undefined {
  const pairs = facts.map(fact => /^([a-z_]+)=(\S+)$/.exec(fact))
  if (!/^[\w.:/-]{1,100}$/.test(name) || pairs.some(pair => !pair)) return undefined
  const parsed = factsShape.safeParse(Object.fromEntries(pairs.map(pair => [pair![1]!, pair![2]!])))
  if (!parsed.success) return undefined
  const { form, roles, per_minute, max_seconds, ...prices } = parsed.data
  const price = priceOf(prices)
  return {
    name,
    source: 'SPEECH_MODELS',
    ...(form && { form, provider: providerOf(form) }),
    ...(roles && { roles }),
    ...(per_minute !== undefined && { perMinute: per_minute }),
    ...(max_seconds !== undefined && { maxSeconds: max_seconds }),
    ...(price && { price }),
  }
}

function providerOf(form: ModelForm): ModelProvider {
  return form === 'gemini' ? 'gemini' : form === 'openai-transcription' ? 'openai' : 'dashscope'
}

function priceOf({
  usd_per_second: usdPerSecond,
  usd_per_million_input: input,
  usd_per_million_output: output,
}: Pick<z.output<typeof factsShape>, 'usd_per_second' | 'usd_per_million_input' | 'usd_per_million_output'>) {
  if (usdPerSecond !== undefined) return { usdPerSecond }
  if (input === undefined && output === undefined) return undefined
  return { usdPerMillionInput: input ?? 0, usdPerMillionOutput: output ?? 0 }
}
