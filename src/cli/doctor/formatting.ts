// Doctor's check of formatting: which models have a key, whether Gemini accepts its key, and which models are retired.
import type { App } from '../../app.ts'
import type { Config } from '../../config/config.ts'

/** Result of a check that did not fail; `isOn` is false for a feature that is not usable. */
export interface Finding {
  isOn: boolean
  text: string
}

/** Model retirements as of November 2026, from the providers' announcements. */
const retirements: [RegExp, (model: string) => string][] = [
  [
    /^qwen-turbo\b/,
    model =>
      `${model} was retired in July 2026 and costs one failed request a day: remove it from FORMAT_MODELS`,
  ],
  [
    /^gemini-2\.5-flash$/,
    model => `from 2026-12-01 gemini-3.5-flash-lite replaces ${model}, at its own price`,
  ],
]

/** Throws if Gemini rejects its key. Having no usable model is not an error: texts stay unformatted. */
export async function checkFormatting(
  { textModels, checkGemini }: Pick<App, 'textModels' | 'checkGemini'>,
  { formatModels, geminiUrl }: Pick<Config, 'formatModels' | 'geminiUrl'>,
  isKeyGood: boolean,
  signal: AbortSignal,
): Promise<Finding> {
  const isUsable = (model: string) => isKeyGood || /^gemini/.test(model)
  const usable = textModels.filter(isUsable)
  const unusable = textModels.filter(model => !isUsable(model))
  const keyless = formatModels.filter(model => !textModels.includes(model))
  const announcements = usable.flatMap(model =>
    retirements.flatMap(([pattern, describe]) => (pattern.test(model) ? [describe(model)] : [])),
  )
  await checkGemini?.(signal)
  const status = unusable.length > 0 ? 'no usable model' : 'not configured'
  const facts = [
    usable.length > 0 ? `tries ${usable.join(', ')} in this order` : `${status}, so texts stay unformatted`,
    ...(unusable.length > 0 ? [`for ${unusable.join(', ')} see key and region`] : []),
    ...(checkGemini ? [`the Gemini key is accepted by ${new URL(geminiUrl).host}`] : []),
    ...(keyless.length > 0 ? [`no key for ${keyless.join(', ')}`] : []),
    ...announcements,
  ]
  return { isOn: usable.length > 0, text: facts.join('; ') }
}
