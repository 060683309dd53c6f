// Arguments as they were meant: models and clients write null or "" for what they leave out, and numbers as text.
import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import type * as z from 'zod/v4'

type Fields = Record<string, unknown>

/** Leaves out null for all arguments of a call; prompts take text alone, so theirs become text. */
export function messageAsMeant(message: JSONRPCMessage): JSONRPCMessage {
  if (!('method' in message) || !message.params) return message
  const { method, params } = message
  if (method !== 'tools/call' && method !== 'prompts/get') return message
  if (params.arguments === null) return { ...message, params: withoutArguments(params) }
  if (method === 'tools/call' || !isFields(params.arguments)) return message
  const given = Object.entries(params.arguments).filter(([, value]) => !isLeftOut(value))
  return { ...message, params: { ...params, arguments: Object.fromEntries(given.map(asTextEntry)) } }
}

/**
 * The arguments of a tool, for its schema: what is left out is gone, text is a number, truth value or option, and a list of
 * texts is one with lines.
 */
export function argumentsAsMeant({ shape }: z.ZodObject, given: unknown): unknown {
  if (!isFields(given)) return given
  const meant = Object.entries(given).flatMap(([name, value]): [string, unknown][] => {
    const field = Object.hasOwn(shape, name) ? shape[name] : undefined
    if (!field) return [[name, value]]
    const { inner, isOptional } = unwrapped(field as z.ZodType)
    if (isOptional && (isLeftOut(value) || (inner.def.type !== 'string' && isNothing(value)))) return []
    return [[name, converted(inner, value)]]
  })
  return Object.fromEntries(meant)
}

function unwrapped(field: z.ZodType): { inner: z.ZodType; isOptional: boolean } {
  const { type, innerType } = field.def as { type: string; innerType?: z.ZodType }
  const isOptional = (type === 'optional' || type === 'default') && innerType !== undefined
  return isOptional ? { inner: innerType, isOptional } : { inner: field, isOptional }
}

const truths = new Map<unknown, boolean>([
  ...['true', 'yes', '1', 1].map(word => [word, true] as const),
  ...['false', 'no', '0', 0].map(word => [word, false] as const),
])

function converted(field: z.ZodType, value: unknown): unknown {
  const { type } = field.def
  if (type === 'string') return areTexts(value) ? value.join('\n') : asText(value)
  const word = typeof value === 'string' ? value.trim().toLowerCase() : value
  if (type === 'boolean') return truths.get(word) ?? value
  if (type === 'number') return /^[-+]?\d+(?:\.\d+)?$/.test(String(word)) ? Number(word) : value
  if (type === 'enum') return (field as z.ZodEnum).options.find(option => option === word) ?? value
  return value
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isLeftOut = (value: unknown) => value === null || (typeof value === 'string' && value.trim() === '')
const areTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every(each => typeof each === 'string')
const isNothing = (value: unknown) => value === 'null' || value === 'undefined'
const asText = (value: unknown) =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
const asTextEntry = ([name, value]: [string, unknown]): [string, unknown] => [name, asText(value)]

function withoutArguments({ arguments: _, ...params }: Fields): Fields {
  return params
}
