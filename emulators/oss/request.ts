// Parses requests: target, operation kind and query.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { refusal } from './errors.ts'
import type { Bucket } from './storage.ts'

export interface Target {
  method: string
  /** Name of the bucket; empty for the service itself. */
  bucket: string
  /** Empty for the bucket itself. */
  key: string
  /** Decoded; a name without a value maps to an empty string. */
  query: Map<string, string>
  headers: IncomingHttpHeaders
}

export interface OperationRequest extends Target {
  /** The bucket with its content. */
  content: Bucket
  body: Buffer
  /** Milliseconds since 1970, by the server's clock. */
  now: number
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: Buffer | string
}

export type Kind =
  | 'put'
  | 'get'
  | 'head'
  | 'delete'
  | 'deleteMany'
  | 'initiate'
  | 'part'
  | 'complete'
  | 'abort'
  | 'parts'
  | 'uploads'
  | 'list'
  | 'post'
  | 'other'

/** Parses path-style addresses, `/bucket/key`. Keeps `..` and `//`, which belong to the key. */
export function targetOf(request: IncomingMessage): Target {
  const [path = '/', search = ''] = split(request.url ?? '/', '?')
  const [bucket = '', key = ''] = split(path.slice(1), '/')
  return {
    method: request.method ?? 'GET',
    bucket: decode(bucket),
    key: decode(key),
    query: new Map(
      search
        .split('&')
        .filter(Boolean)
        .map(pair => split(pair, '=').map(decodeQuery) as [string, string]),
    ),
    headers: request.headers,
  }
}

/** The kind of operation that a request asks for. */
export function kindOf({ method, key, query }: Target): Kind {
  if (!key) {
    if (method === 'GET' && query.has('uploads')) return 'uploads'
    if (method === 'GET' && query.get('list-type') === '2') return 'list'
    if (method === 'POST' && query.has('delete')) return 'deleteMany'
    return method === 'POST' && query.size === 0 ? 'post' : 'other'
  }
  const multipart = query.has('uploadId')
  if (method === 'PUT') return multipart && query.has('partNumber') ? 'part' : 'put'
  if (method === 'POST') return query.has('uploads') ? 'initiate' : multipart ? 'complete' : 'other'
  if (method === 'GET') return multipart ? 'parts' : 'get'
  if (method === 'DELETE') return multipart ? 'abort' : 'delete'
  return method === 'HEAD' ? 'head' : 'other'
}

/** A number from the query; throws `InvalidArgument` outside its bounds. */
export function numberIn(
  query: Map<string, string>,
  name: string,
  from: number,
  to: number,
  fallback: number,
): number {
  const given = query.get(name)
  if (!given) return fallback
  const number = Number(given)
  if (Number.isInteger(number) && number >= from && number <= to) return number
  throw refusal('InvalidArgument', `Argument ${name} must be an integer between ${from} and ${to}.`, {
    ArgumentName: name,
    ArgumentValue: given,
  })
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

function decodeQuery(text: string): string {
  return decode(text.replaceAll('+', ' '))
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refusal('InvalidObjectName')
  }
}
