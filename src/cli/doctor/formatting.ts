// What doctor says of formatting: which of its models have a key, whether Gemini takes its own, and which are gone.
import type { App } from '../../app.ts'
import type { Config } from '../../config/config.ts'

/** What a check has found that is no failure; `isOn` is false of what cannot be used as it is. */
export interface Finding {
  isOn: boolean
  text: string
}

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

/** Throws what keeps Gemini from answering. That nobody can be asked is no failure: texts come back as they are. */
export async function checkFormatting(
  { textModels, checkGemini }: Pick<App, 'textModels' | 'checkGemini'>,
  { formatModels, geminiUrl }: Pick<Config, 'formatModels' | 'geminiUrl'>,
  isKeyGood: boolean,
  signal: AbortSignal,
): Promise<Finding> {
  const isAsked = (model: string) => isKeyGood || /^gemini/.test(model)
  const asked = textModels.filter(isAsked)
  const barred = textModels.filter(model => !isAsked(model))
  const keyless = formatModels.filter(model => !textModels.includes(model))
  const noticed = asked.flatMap(model =>
    notices.flatMap(([named, words]) => (named.test(model) ? [words(model)] : [])),
  )
  await checkGemini?.(signal)
  const nobody =
    barred.length > 0
      ? 'nobody can be asked, so texts come back as they are'
      : 'not configured, so texts come back as they are'
  const facts = [
    asked.length > 0 ? `asks ${asked.join(', ')} in turn` : nobody,
    ...(barred.length > 0 ? [`for ${barred.join(', ')} see key and region`] : []),
    ...(checkGemini ? [`the Gemini key is accepted by ${new URL(geminiUrl).host}`] : []),
    ...(keyless.length > 0 ? [`no key for ${keyless.join(', ')}`] : []),
    ...noticed,
  ]
  return { isOn: asked.length > 0, text: facts.join('; ') }
}
