// The budget of a formatting: an estimate before the first request, and a charge for each.
import { type Budget, type BudgetPart, isOverLimit, priceUnknown } from '../../domain/costs/budget.ts'
import { isSpeechError } from '../../domain/errors.ts'
import type { TokenPrice } from '../../domain/models/model.ts'
import { estimateModelTokens } from '../../domain/models/model-tokens.ts'
import type { TextModel } from '../../domain/text-model.ts'

/** Tokens of a request beside the text: instructions and context. */
const promptTokens = 450
/** Punctuation and paragraphs lengthen a text. */
const answerShare = 1.3

function usdForText(text: string, price: TokenPrice | undefined): number {
  if (!price) return 0
  const size = estimateModelTokens(text)
  const output = answerShare * size * price.usdPerMillionOutput
  return ((size + promptTokens) * price.usdPerMillionInput + output) / 1e6
}

/**
 * Reserves what the texts of all requests cost at the price of the first model; `withoutSaved` leaves out those that are
 * answered already. Throws the errors of a budget, and `PRICE_UNKNOWN`.
 */
export async function reserveForTexts(
  texts: string[],
  withoutSaved: () => Promise<string[]>,
  { models, price }: TextModel,
  part: BudgetPart,
  { needsPrices }: Budget,
): Promise<void> {
  if (!price && needsPrices) throw priceUnknown(models[0]!)
  const reserve = (all: string[]) => part.reserve(all.reduce((sum, text) => sum + usdForText(text, price), 0))
  try {
    await reserve(texts)
  } catch (error) {
    if (!isOverLimit(error)) throw error
    await reserve(await withoutSaved())
  }
}

/** Wraps a model to charge each request, at the price of the model that is asked. */
export function withinBudget(textModel: TextModel, part: BudgetPart, { needsPrices }: Budget): TextModel {
  return {
    ...textModel,
    async generate(request, options) {
      const { raise, settle } = await part.charge(usdForText(request.user, textModel.price))
      try {
        const answer = await textModel.generate(request, {
          ...options,
          async refuse({ models: [model], price }) {
            if (!price && needsPrices) return priceUnknown(model!)
            try {
              await raise(usdForText(request.user, price))
              return undefined
            } catch (error) {
              if (isSpeechError(error)) return error
              throw error
            }
          },
        })
        settle(answer.costUsd ?? 0)
        return answer
      } finally {
        // Nothing is billed for a request that failed.
        settle(0)
      }
    },
  }
}
