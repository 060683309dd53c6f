// Evaluates the queries of a search index against one row.
import { invalid } from '../errors.ts'
import { readVariant } from '../plain-buffer/read.ts'
import { decode, has } from '../protocol.ts'
import { compareValues, type Value } from '../values.ts'

export interface Field {
  /** One of `fieldTypes`, or another type of the service. */
  type: number
  /** Only for text. */
  analyzer?: string
}

export const fieldTypes = { keyword: 4, text: 5 }

export interface Query {
  type: number
  query: Uint8Array
}

export interface Document {
  fields: Map<string, Field>
  value(field: string): Value | undefined
}

type Kind = (bytes: Uint8Array, document: Document) => boolean

const space = 'search'

const kinds: Record<number, Kind> = {
  1(bytes, document) {
    const query = decode<{ fieldName: string; text: string; operator: number; minimumShouldMatch: number }>(
      space,
      'MatchQuery',
      bytes,
    )
    const field = fieldOf(query.fieldName, document)
    const tokens = tokensOf(query.fieldName, document)
    const queryTerms = analyse(query.text, field)
    const minMatches = query.operator === 2 ? queryTerms.length : Math.max(1, query.minimumShouldMatch)
    return (
      queryTerms.filter(token => tokens.includes(token)).length >= Math.min(minMatches, queryTerms.length)
    )
  },
  2(bytes, document) {
    const { fieldName, text } = decode<{ fieldName: string; text: string }>(space, 'MatchPhraseQuery', bytes)
    const queryTerms = analyse(text, fieldOf(fieldName, document))
    const tokens = tokensOf(fieldName, document)
    return tokens.some((_, i) => queryTerms.every((token, k) => tokens[i + k] === token))
  },
  3(bytes, document) {
    const { fieldName, term } = decode<{ fieldName: string; term: Uint8Array }>(space, 'TermQuery', bytes)
    return isTerm(fieldName, term, document)
  },
  4(bytes, document) {
    interface Range {
      fieldName: string
      rangeFrom: Uint8Array
      rangeTo: Uint8Array
      includeLower: boolean
      includeUpper: boolean
    }
    const query = decode<Range>(space, 'RangeQuery', bytes)
    fieldOf(query.fieldName, document)
    const value = document.value(query.fieldName)
    if (value === undefined) return false
    const order = (bound: Uint8Array) => compareValues(value, readVariant(bound)) ?? Number.NaN
    const isFrom = (by: number) => by > 0 || (by === 0 && query.includeLower)
    const isTo = (by: number) => by < 0 || (by === 0 && query.includeUpper)
    return (
      (!isGiven(query, 'rangeFrom') || isFrom(order(query.rangeFrom))) &&
      (!isGiven(query, 'rangeTo') || isTo(order(query.rangeTo)))
    )
  },
  5(bytes, document) {
    const { fieldName, prefix } = decode<{ fieldName: string; prefix: string }>(space, 'PrefixQuery', bytes)
    return tokensOf(fieldName, document).some(token => token.startsWith(prefix))
  },
  6(bytes, document) {
    interface Bool {
      mustQueries: Query[]
      mustNotQueries: Query[]
      filterQueries: Query[]
      shouldQueries: Query[]
      minimumShouldMatch: number
    }
    const query = decode<Bool>(space, 'BoolQuery', bytes)
    const isMatch = (one: Query) => matches(one, document)
    const must = [...query.mustQueries, ...query.filterQueries]
    const defaultMin = must.length > 0 || query.shouldQueries.length === 0 ? 0 : 1
    const minMatches = has(query, 'minimumShouldMatch') ? query.minimumShouldMatch : defaultMin
    return (
      must.every(isMatch) &&
      !query.mustNotQueries.some(isMatch) &&
      query.shouldQueries.filter(isMatch).length >= minMatches
    )
  },
  11: () => true,
  15(bytes, document) {
    const { fieldName, terms } = decode<{ fieldName: string; terms: Uint8Array[] }>(
      space,
      'TermsQuery',
      bytes,
    )
    return terms.some(term => isTerm(fieldName, term, document))
  },
  16(bytes, document) {
    const { fieldName } = decode<{ fieldName: string }>(space, 'ExistsQuery', bytes)
    fieldOf(fieldName, document)
    return document.value(fieldName) !== undefined
  },
}

export function matches({ type, query }: Query, document: Document): boolean {
  const kind = kinds[type]
  if (!kind) throw invalid(`The query type ${type} is not supported here.`)
  return kind(query, document)
}

function isTerm(fieldName: string, term: Uint8Array, document: Document): boolean {
  const queryTerms = readVariant(term)
  const { type } = fieldOf(fieldName, document)
  if (type === fieldTypes.text) return tokensOf(fieldName, document).includes(String(queryTerms))
  const value = document.value(fieldName)
  return value !== undefined && compareValues(value, queryTerms) === 0
}

function isGiven<T extends object>(query: T, field: keyof T): boolean {
  return (
    has(query, field) &&
    (query[field] as Uint8Array | null) !== null &&
    (query[field] as Uint8Array).length > 0
  )
}

function fieldOf(name: string, { fields }: Document): Field {
  const field = fields.get(name)
  if (!field) throw invalid(`field:${name} not exist.`)
  return field
}

/** The terms of a text; a keyword is a single term. */
function tokensOf(name: string, document: Document): string[] {
  const field = fieldOf(name, document)
  const value = document.value(name)
  if (typeof value !== 'string') return []
  return field.type === fieldTypes.text ? analyse(value, field) : [value]
}

/** Each character of these scripts is a term; other scripts form runs. */
const unspacedScripts = '[\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Hang}]'
const words = new RegExp(`${unspacedScripts}|(?:(?!${unspacedScripts})[\\p{L}\\p{M}\\p{N}])+`, 'gu')

/** A search scans every row, so analysed texts are cached, up to this many characters. */
const maxCachedChars = 20_000_000
const cache = new Map<string, string[]>()
let characters = 0

function analyse(text: string, { analyzer }: Field): string[] {
  const key = `${analyzer} ${text}`
  const cached = cache.get(key)
  if (cached) return cached
  const lower = text.toLowerCase()
  const tokens = analyzer === 'split' ? lower.split(/\s+/).filter(Boolean) : (lower.match(words) ?? [])
  characters += text.length
  if (characters > maxCachedChars) {
    cache.clear()
    characters = text.length
  }
  cache.set(key, tokens)
  return tokens
}
