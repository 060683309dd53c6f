// Probes of the text models: the cheapest request that shows whether a model exists.
import { knownModels } from '../../domain/models/catalog.ts'
import type { ModelProbe } from '../../domain/models/probe.ts'
import { noTextModel, type TextRequest } from '../../domain/text-model.ts'
import { probe } from '../models/probe.ts'
import { type TextModelsOptions, textModelOpener } from './text-models.ts'

/** About thirty tokens: less than $0.0001. */
const smallestText: TextRequest = { system: 'Answer with one word.', user: 'Hello', maxTokens: 16 }

export function textProbes({
  models,
  unavailableModels,
  catalog = knownModels,
  ...providers
}: TextModelsOptions): ModelProbe[] {
  const open = textModelOpener({ ...providers, catalog })
  return models.map(name => ({
    model: catalog.find(name, 'text'),
    roles: ['text'],
    async ask(signal) {
      const [opened] = open(name)
      if (!opened) return { state: 'not asked', code: noTextModel().code, detail: 'no key' }
      return probe(opened.key, () => opened.generate(smallestText, { signal }), unavailableModels)
    },
  }))
}
