// What doctor says of formatting: which of its models have a key, whether Gemini takes its own, and which are gone.
import type { App } from '../app.ts'
import type { Config } from '../config.ts'

/** Of November 2026, from the providers' notices. */
const notices: [RegExp, (model: string) => string][] = [
  [
    /^qwen-turbo\b/,
    model => `${model} was retired in July 2026: it costs one request a day, take it off FORMAT_MODELS`,
  ],
  [
    /^gemini-2\.5-flash$/,
    model => `from 2026-12-01 on gemini-3.5-flash-lite answers for ${model}, at its own price`,
  ],
]

/** Throws what keeps Gemini from answering. That nothing is configured is no failure: texts come back as they are. */
export async function checkFormatting(
  { textModels, checkGemini }: Pick<App, 'textModels' | 'checkGemini'>,
  { formatModels, geminiUrl }: Pick<Config, 'formatModels' | 'geminiUrl'>,
  signal: AbortSignal,
): Promise<string> {
  const keyless = formatModels.filter(model => !textModels.includes(model))
  const noticed = textModels.flatMap(model =>
    notices.flatMap(([named, words]) => (named.test(model) ? [words(model)] : [])),
  )
  await checkGemini?.(signal)
  return [
    textModels.length > 0
      ? `asks ${textModels.join(', ')} in turn`
      : 'not configured, so texts come back as they are',
    ...(checkGemini ? [`the Gemini key is accepted by ${new URL(geminiUrl).host}`] : []),
    ...(keyless.length > 0 ? [`no key for ${keyless.join(', ')}`] : []),
    ...noticed,
  ].join('; ')
}
