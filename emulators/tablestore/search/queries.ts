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

/** Tells if a row matches. */
export type Matcher = (document: Document) => boolean

type Kind = (bytes: Uint8Array) => Matcher

const space = 'search'

const kinds: Record<number, Kind> = {
  1(bytes) {
    const query = decode<{ fieldName: string; text: string; operator: number; minimumShouldMatch: number }>(
      space,
      'MatchQuery',
      bytes,
    )
    return document => {
      const field = fieldOf(query.fieldName, document)
      const tokens = tokensOf(query.fieldName, document)
      const queryTerms = analyse(query.text, field)
      const minMatches = query.operator === 2 ? queryTerms.length : Math.max(1, query.minimumShouldMatch)
      return (
        queryTerms.filter(token => tokens.includes(token)).length >= Math.min(minMatches, queryTerms.length)
      )
    }
  },
  2(bytes) {
    const { fieldName, text } = decode<{ fieldName: string; text: string }>(space, 'MatchPhraseQuery', bytes)
    return document => {
      const queryTerms = analyse(text, fieldOf(fieldName, document))
      const tokens = tokensOf(fieldName, document, queryTerms[0])
      return tokens.some((_, i) => queryTerms.every((token, k) => tokens[i + k] === token))
    }
  },
  3(bytes) {
    const { fieldName, term } = decode<{ fieldName: string; term: Uint8Array }>(space, 'TermQuery', bytes)
    const value = readVariant(term)
    return document => isTerm(fieldName, value, document)
  },
  4(bytes) {
    interface Range {
      fieldName: string
      rangeFrom: Uint8Array
      rangeTo: Uint8Array
      includeLower: boolean
      includeUpper: boolean
    }
    const query = decode<Range>(space, 'RangeQuery', bytes)
    const [from, to] = (['rangeFrom', 'rangeTo'] as const).map(bound =>
      isGiven(query, bound) ? readVariant(query[bound]) : undefined,
    )
    const isFrom = (by: number) => by > 0 || (by === 0 && query.includeLower)
    const isTo = (by: number) => by < 0 || (by === 0 && query.includeUpper)
    return document => {
      fieldOf(query.fieldName, document)
      const value = document.value(query.fieldName)
      if (value === undefined) return false
      const order = (bound: Value) => compareValues(value, bound) ?? Number.NaN
      return (from === undefined || isFrom(order(from))) && (to === undefined || isTo(order(to)))
    }
  },
  5(bytes) {
    const { fieldName, prefix } = decode<{ fieldName: string; prefix: string }>(space, 'PrefixQuery', bytes)
    return document => tokensOf(fieldName, document, prefix).some(token => token.startsWith(prefix))
  },
  6(bytes) {
    interface Bool {
      mustQueries: Query[]
      mustNotQueries: Query[]
      filterQueries: Query[]
      shouldQueries: Query[]
      minimumShouldMatch: number
    }
    const query = decode<Bool>(space, 'BoolQuery', bytes)
    const must = [...query.mustQueries, ...query.filterQueries].map(matcherOf)
    const mustNot = query.mustNotQueries.map(matcherOf)
    const should = query.shouldQueries.map(matcherOf)
    const defaultMin = must.length > 0 || should.length === 0 ? 0 : 1
    const minMatches = has(query, 'minimumShouldMatch') ? query.minimumShouldMatch : defaultMin
    return document =>
      must.every(matches => matches(document)) &&
      !mustNot.some(matches => matches(document)) &&
      should.filter(matches => matches(document)).length >= minMatches
  },
  11: () => () => true,
  15(bytes) {
    const { fieldName, terms } = decode<{ fieldName: string; terms: Uint8Array[] }>(
      space,
      'TermsQuery',
      bytes,
    )
    const values = terms.map(readVariant)
    return document => values.some(value => isTerm(fieldName, value, document))
  },
  16(bytes) {
    const { fieldName } = decode<{ fieldName: string }>(space, 'ExistsQuery', bytes)
    return document => {
      fieldOf(fieldName, document)
      return document.value(fieldName) !== undefined
    }
  },
}

/** Reads a query once, for many rows. */
export function matcherOf({ type, query }: Query): Matcher {
  const kind = kinds[type]
  if (!kind) throw invalid(`The query type ${type} is not supported here.`)
  return kind(query)
}

function isTerm(fieldName: string, queryTerms: Value, document: Document): boolean {
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

/** The terms of a text; a keyword is a single term. None where no term can begin with `start`. */
function tokensOf(name: string, document: Document, start = ''): string[] {
  const field = fieldOf(name, document)
  const value = document.value(name)
  if (typeof value !== 'string') return []
  if (field.type !== fieldTypes.text) return [value]
  return value.toLowerCase().includes(start) ? analyse(value, field) : []
}

/** Each character of these scripts is a term; other scripts form runs. */
const unspacedScripts = '[\\p{sc=Han}\\p{sc=Hira}\\p{sc=Kana}\\p{sc=Hang}]'
const words = new RegExp(`${unspacedScripts}|(?:(?!${unspacedScripts})[\\p{L}\\p{M}\\p{N}])+`, 'gu')

/** A search may scan every row, so analysed texts are cached, up to this many characters. */
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
