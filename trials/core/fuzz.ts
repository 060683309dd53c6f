// Arguments for fuzzing: fitting ones made from a JSON schema, then spoilt.
import type { Random } from './random.ts'

export interface Schema {
  type?: string | string[]
  enum?: unknown[]
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  minimum?: number
  maximum?: number
  maxLength?: number
}

/** Values that fit nowhere, or that look harmless and are not. URLs lead to loopback only. */
export const hostileValues: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  2 ** 53,
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\u202egnp.exe',
  'e\u0301'.repeat(300),
  '💥'.repeat(100),
  'x'.repeat(100_000),
  '../../../../etc/passwd',
  '/etc/passwd',
  '/dev/zero',
  '/dev/stdin',
  '/proc/self/mem',
  'file:///etc/passwd',
  'https://127.0.0.1:9/x.mp3',
  'https://[::1]:9/x.mp3',
  'https://user:password@127.0.0.1:9/',
  'https://0x7f000001:9/',
  'http://127.0.0.1:9/',
  'https://',
  'data:',
  'data:audio/ogg;base64,AAAA',
  'data:audio/wav;base64,####',
  'data:text/html,<script>',
  'concat:/etc/passwd|/etc/passwd',
  'pipe:0',
  '-i',
  '--help',
  '$(reboot)',
  '%00%ff',
  '__proto__',
  'constructor',
  '"',
  '""" """',
  '"a" OR "b" NEAR(c d, 2) *',
  "'; DROP TABLE transcripts; --",
  'a '.repeat(200),
  '(((((((((',
  'transcript://',
  'transcript://../x',
  'transcript://tr_0000000000000000/%2e%2e',
  'tr_0000000000000000',
  [],
  {},
  [null],
  { __proto__: null, toString: 1 },
  nested(200),
]

function nested(depth: number): unknown {
  let value: unknown = []
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

/** A value that fits the schema; `known` offers good values for properties by name. */
export function fitting(schema: Schema, random: Random, known: Record<string, readonly unknown[]>): unknown {
  if (schema.enum) return random.pick(schema.enum)
  if (schema.anyOf) return fitting(random.pick(schema.anyOf), random, known)
  const type = Array.isArray(schema.type) ? random.pick(schema.type) : schema.type
  if (type === 'object') return fittingObject(schema, random, known)
  if (type === 'array')
    return Array.from({ length: random.below(4) }, () => fitting(schema.items ?? {}, random, known))
  if (type === 'boolean') return random.chance(0.5)
  if (type === 'integer' || type === 'number') return numberWithin(schema, random, type === 'integer')
  return random
    .pick(['a', 'budget', 'Zürich', 'S1', 'en', '名前', 'word '.repeat(20).trim()])
    .slice(0, schema.maxLength)
}

function fittingObject(
  { properties = {}, required = [] }: Schema,
  random: Random,
  known: Record<string, readonly unknown[]>,
): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(properties)) {
    if (!required.includes(name) && random.chance(0.6)) continue
    value[name] = known[name] ? random.pick(known[name]) : fitting(schema, random, known)
  }
  return value
}

function numberWithin({ minimum = 0, maximum = 1000 }: Schema, random: Random, isWhole: boolean): number {
  const value = minimum + random.next() * (Math.min(maximum, minimum + 1000) - minimum)
  return isWhole ? Math.round(value) : value
}

/** Replaces, adds or removes some of the values, also deep inside. */
export function spoilt(value: Record<string, unknown>, random: Random): Record<string, unknown> {
  const copy = structuredClone(value)
  const rounds = 1 + random.below(2)
  for (let i = 0; i < rounds; i++) spoil(copy, random)
  return copy
}

function spoil(target: Record<string, unknown> | unknown[], random: Random): void {
  const keys = Object.keys(target)
  const place = target as Record<string, unknown>
  if (keys.length === 0 || random.chance(0.1)) {
    place[random.pick(['extra', 'toString', 'audio', '0', 'x'.repeat(5000)])] = structuredClone(
      random.pick(hostileValues),
    )
    return
  }
  const key = random.pick(keys)
  const inner = place[key]
  if (typeof inner === 'object' && inner !== null && random.chance(0.7)) spoil(inner as unknown[], random)
  else if (random.chance(0.1)) delete place[key]
  else place[key] = structuredClone(random.pick(hostileValues))
}
