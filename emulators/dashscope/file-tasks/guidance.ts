// Context and hotwords, which a task gives its model beforehand, with the limits of the services.
import { dashscopeErrors, Refusal } from '../errors.ts'
import type { TaskModel } from '../models/speech.ts'
import { isObject } from '../values.ts'

/** As the model takes it; a model that takes none ignores what it is given. */
export interface Guidance {
  context?: string
  /** Weights by term. */
  vocabulary?: Record<string, number>
}

// Limits of qwen-audio 3.x (Model Studio, "improve ASR accuracy").
const maxContextChars = 400
const maxTerms = 2000
const maxSuperTerms = 50
const superWeight = 50
const maxCharsOfTerm = 15
const maxWordsOfTerm = 7

/** Throws a `Refusal` for a vocabulary that breaks a limit; a context is cut at its limit. */
export function readGuidance(
  model: TaskModel,
  input: Record<string, unknown>,
  parameters: Record<string, unknown>,
): Guidance {
  const context = contextOf(model, input, parameters)
  const vocabulary = model.hotwords ? readVocabulary(parameters.vocabulary) : undefined
  return { ...(context && { context }), ...(vocabulary && { vocabulary }) }
}

function contextOf({ context }: TaskModel, input: Record<string, unknown>, parameters: object): string {
  if (context === 'corpus') {
    const { corpus } = parameters as { corpus?: unknown }
    return isObject(corpus) && typeof corpus.text === 'string' ? corpus.text : ''
  }
  if (context !== 'input' || !Array.isArray(input.context)) return ''
  // `[{ role: 'user', content: [{ type: 'input_text', text }] }]`
  const parts = input.context.flatMap(message => (isObject(message) ? message.content : []))
  const texts = parts.map(part => (isObject(part) && typeof part.text === 'string' ? part.text : ''))
  return [...texts.join('\n')].slice(0, maxContextChars).join('')
}

function readVocabulary(given: unknown): Record<string, number> | undefined {
  if (given === undefined) return undefined
  if (!isObject(given)) throw invalid('vocabulary must be an object of terms and weights')
  const terms = Object.entries(given)
  if (terms.length > maxTerms) throw invalid(`vocabulary must not have more than ${maxTerms} terms`)
  if (terms.filter(([, weight]) => weight === superWeight).length > maxSuperTerms) {
    throw invalid(`vocabulary must not have more than ${maxSuperTerms} terms of weight ${superWeight}`)
  }
  for (const [term, weight] of terms) checkTerm(term, weight)
  return given as Record<string, number>
}

function checkTerm(term: string, weight: unknown): void {
  const isWeight = Number.isInteger(weight) && (weight as number) >= 1 && (weight as number) <= 5
  if (!isWeight && weight !== superWeight) {
    throw invalid(`weight of "${term}" must be an integer between 1 and 5, or ${superWeight}`)
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
  const isAscii = /^[\x00-\x7f]*$/.test(term)
  if (isAscii && term.trim().split(/\s+/).length > maxWordsOfTerm) {
    throw invalid(`"${term}" has more than ${maxWordsOfTerm} words`)
  }
  if (!isAscii && [...term].length > maxCharsOfTerm) {
    throw invalid(`"${term}" has more than ${maxCharsOfTerm} characters`)
  }
}

/** The limits are documented, the wording is not. */
function invalid(message: string): Refusal {
  return new Refusal(dashscopeErrors.modelNotExist, message)
}
