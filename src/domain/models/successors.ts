// Successors in a list of models: which of them may answer, and how the reader is told.
import { SpeechError } from '../errors.ts'
import type { Model } from './model.ts'

export interface Replaced {
  /** The first model of the list, where another one answers. */
  inPlaceOf?: string | undefined
  /** Why that model did not answer; absent: it is not available. */
  firstError?: SpeechError | undefined
}

/** `replaced`: at least one. */
export function successorWarning(model: string, replaced: Replaced[]): string {
  const names = [...new Set(replaced.map(({ inPlaceOf }) => inPlaceOf))]
  const reasons = replaced.flatMap(({ firstError }) =>
    firstError && firstError.code !== 'MODEL_NOT_FOUND' ? [firstError.message] : [],
  )
  const answered = `${model} answered in place of ${names.join(' and ')}`
  if (reasons.length > 0) return `${answered}. ${[...new Set(reasons)].join(' ')}`
  return `${answered}, which ${names.length > 1 ? 'are' : 'is'} not available.`
}

/** ISO codes that a model takes as a hint; absent: any. */
export function languagesOf({ hintLanguages }: Pick<Model, 'hintLanguages'>): { languages?: string[] } {
  return hintLanguages ? { languages: hintLanguages.map(code => (code === 'tl' ? 'fil' : code)) } : {}
}

interface Listed {
  model: string
  languages?: readonly string[] | undefined
}

/** The error of a successor that lacks the language of the recording, where the first model of the list has it. */
export function languageRefusal(
  one: Listed,
  first: Listed,
  language: string | undefined,
): SpeechError | undefined {
  const takes = ({ languages }: Listed) =>
    language === undefined || (languages ?? [language]).includes(language)
  if (takes(one) || !takes(first)) return undefined
  return new SpeechError('PROVIDER_REFUSED', `${one.model} does not take the language “${language}”.`, {
    hint: 'Leave out the language to let the model detect it, or set a model that takes it.',
  })
}
