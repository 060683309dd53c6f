// Fits the context of a request to a model: text up to its limit, and terms with weights where it takes them.
import { readTerms, wordCount } from '../terms.ts'
import type { ContextForm, Model } from './model.ts'

/** How a model takes names and terms to expect. */
export type ContextAbilities = Pick<Model, 'context' | 'hotwords'>

export interface ModelContext {
  text?: string
  /** Weight of each term. */
  vocabulary?: Record<string, number>
  /** Parts that the model does not get, as sentences for the reader. */
  losses: string[]
}

/** Characters (Model Studio, improve-asr-accuracy, 2026-07). Other forms take 10,000 tokens, which is more than a request has. */
const maxCharacters: Partial<Record<ContextForm, number>> = { input: 400 }
const maxTextCharacters = 10_000
/** Limits of a vocabulary (the same page). */
const maxTerms = 2_000
const maxTermWords = 7
const maxTermCharacters = 15
/** From 1 to 5. Higher ones lead to the term where it was not said. */
const termWeight = 4
const maxNamedTerms = 5

/** `model` appears in the sentences. */
export function contextFor(
  model: string,
  { context: form, hotwords }: ContextAbilities = {},
  context?: string,
): ModelContext {
  const given = context?.trim()
  if (!given) return { losses: [] }
  if (!form && !hotwords)
    return { losses: [`${model} takes no names or terms: the context had no effect on its text.`] }
  const { terms, isList } = hotwords ? readTerms(given) : { terms: [], isList: false }
  const fitting = terms.filter(fitsVocabulary).slice(0, maxTerms)
  const others = terms.filter(term => !fitting.includes(term))
  // A list is sent as terms, and only the rest of it as text.
  const text = isList ? others.join(', ') : given
  const limit = form ? (maxCharacters[form] ?? maxTextCharacters) : 0
  const sent = cut(text, limit)
  const lost = isList ? others.filter(term => !sent.includes(term)) : []
  return {
    ...(sent && { text: sent }),
    ...(fitting.length > 0 && { vocabulary: Object.fromEntries(fitting.map(term => [term, termWeight])) }),
    losses: isList
      ? lossOfTerms(model, lost)
      : lossOfText(model, { text, sent, isSearched: hotwords === true }),
  }
}

function fitsVocabulary(term: string): boolean {
  return /^\p{ASCII}*$/u.test(term) ? wordCount(term) <= maxTermWords : [...term].length <= maxTermCharacters
}

/** The first characters up to the end of a word. */
function cut(text: string, limit: number): string {
  const characters = [...text]
  if (characters.length <= limit) return text
  const head = characters.slice(0, limit).join('')
  const isWhole = /[\s,;，、；。]/u.test(characters[limit] ?? '')
  return (isWhole ? head : head.replace(/(?<=[\s,;，、；。])[^\s,;，、；。]*$/u, '')).replace(
    /[\s,;，、；]+$/u,
    '',
  )
}

function lossOfTerms(model: string, lost: string[]): string[] {
  if (lost.length === 0) return []
  const named = lost.slice(0, maxNamedTerms).map(term => `“${term.slice(0, 40)}”`)
  const more = lost.length > maxNamedTerms ? ` and ${lost.length - maxNamedTerms} more` : ''
  return [`${model} did not get ${named.join(', ')}${more}: too long, or more terms than it takes.`]
}

function lossOfText(
  model: string,
  { text, sent, isSearched }: { text: string; sent: string; isSearched: boolean },
): string[] {
  if (sent === text) return []
  const rest = isSearched ? 'of the rest it got only the names and terms' : 'the rest was left out'
  return [`${model} takes only the first ${[...sent].length} characters of the context; ${rest}.`]
}
