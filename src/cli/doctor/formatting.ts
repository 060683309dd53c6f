// Doctor's check of formatting: which models have a key, whether Gemini accepts its key, and which models are retired.
import type { App } from '../../app.ts'
import type { Config } from '../../config/config.ts'
import type { Model } from '../../domain/models/model.ts'

/** Result of a check that did not fail; `isOn` is false for a feature that is not usable. */
export interface Finding {
  isOn: boolean
  text: string
}

/** Throws if Gemini rejects its key. Having no usable model is not an error: texts stay unformatted. */
export async function checkFormatting(
  { textModels, checkGemini }: Pick<App, 'textModels' | 'checkGemini'>,
  { formatModels, geminiUrl }: Pick<Config, 'formatModels' | 'geminiUrl'>,
  isKeyGood: boolean,
  signal: AbortSignal,
): Promise<Finding> {
  const isUsable = ({ provider }: Model) => isKeyGood || provider === 'gemini'
  const namesOf = (models: Model[]) => models.map(({ name }) => name)
  const usable = namesOf(textModels.filter(isUsable))
  const unusable = namesOf(textModels.filter(model => !isUsable(model)))
  const keyless = formatModels.filter(name => !namesOf(textModels).includes(name))
  const announcements = textModels.filter(isUsable).flatMap(retirementOf)
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

/** Regions differ, so the announced date is a warning and no more. */
function retirementOf({ name, retires }: Model): string[] {
  if (!retires) return []
  const { date, successor } = retires
  return [
    `${name} retires on ${date}, in favour of ${successor}; once gone, it costs one failed request a day`,
  ]
}
