// Describes the change of one entry line by line, without its secrets.
import type { ConfigFormat } from './json-format.ts'
import { isRecord } from './records.ts'

type Entry = Record<string, unknown>

/** True for variables, fields and flags whose values are shown to no one. */
export function isSecretName(name: string): boolean {
  return /(?:key|secret|tokens?|password|authorization|proxy)(?:[_-]id)?$/i.test(name)
}

/** Lines that begin with `-` or `+`, or with a blank where they stay. */
export function describeChange(
  format: ConfigFormat,
  path: string[],
  from: Entry | undefined,
  to: Entry | undefined,
): string {
  const [before, after] = [from, to].map(entry =>
    entry
      ? format
          .print(path, masked(entry) as Entry)
          .trimEnd()
          .split('\n')
      : [],
  ) as [string[], string[]]
  const isSame = (a: number, b: number) => before.at(a) !== undefined && before.at(a) === after.at(b)
  const shortest = Math.min(before.length, after.length)
  let start = 0
  while (start < shortest && isSame(start, start)) start++
  let end = 0
  while (end < shortest - start && isSame(-1 - end, -1 - end)) end++
  const lines = [
    ...before.slice(0, start).map(line => `  ${line}`),
    ...before.slice(start, before.length - end).map(line => `- ${line}`),
    ...after.slice(start, after.length - end).map(line => `+ ${line}`),
    ...before.slice(before.length - end).map(line => `  ${line}`),
  ]
  return `${lines.join('\n')}\n`
}

/** Name and password before the host of an address. */
const userInUrl = /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi

/** Another key in place of a key is no line that differs: only its name is shown. */
function masked(value: unknown, name = ''): unknown {
  if (isRecord(value))
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner, key)]))
  if (Array.isArray(value))
    return value.map((item, index) => masked(item, /^--?[\w-]+$/.exec(String(value[index - 1] ?? ''))?.[0]))
  const text = String(value)
  // Also --env=NAME=value.
  const names = [...text.matchAll(/(?<=^(?:[\w-]+=)*)[\w-]+=/g)]
  const secret = names.find(([given]) => isSecretName(given.slice(0, -1)))
  if (secret) return `${text.slice(0, secret.index)}${secret[0]}…`
  if (isSecretName(name) || /\bsk-\w/.test(text)) return '…'
  return typeof value === 'string' ? value.replace(userInUrl, '$1…@') : value
}
