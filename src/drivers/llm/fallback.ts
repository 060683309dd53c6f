// Several text models as one.

import type { UnavailableModels } from '../../domain/models/model.ts'
import type { TextModel } from '../../domain/text-model.ts'
import type { CircuitBreakerOptions } from '../models/circuit-breaker.ts'
import { modelList } from '../models/model-list.ts'
import { acceptedOnce, type ProviderModel } from './provider-model.ts'

export interface FallbackOptions extends CircuitBreakerOptions {
  unavailableModels: UnavailableModels
}

/** Takes at least one model. Any failure of one leads to the next. */
export function fallback(models: ProviderModel[], options: FallbackOptions): TextModel {
  const list = modelList(models, { ...options, setting: 'FORMAT_MODELS', avoidsRefusals: true })
  const { price } = models[0]!
  return {
    models: models.flatMap(model => model.models),
    concurrency: Math.max(...models.map(({ concurrency }) => concurrency)),
    ...(price && { price }),
    generate(request, options) {
      const once = acceptedOnce(options)
      const attempt = (model: ProviderModel, accept: () => void) => {
        const onAccepted = () => {
          accept()
          once.onAccepted?.()
        }
        return model.generate(request, { ...once, onAccepted }).then(answer => {
          onAccepted()
          return answer
        })
      }
      return list.ask(attempt, options.signal, options.refuse)
    },
  }
}
