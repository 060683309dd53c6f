// What the values of settings may be: folders, addresses, names, numbers, and words for what is wrong with them.
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import * as z from 'zod/v4'

export const folder = z.string().transform(text => resolve(expandHome(text)))
export const file = z.string().transform(text => expandHome(text))

/** A list of folders as systems write them: parted by `:` (`;` on Windows), or by a comma before a path. */
export const folders = z.string().transform(text =>
  text
    .split(delimiter)
    .flatMap(part => part.split(/,(?=\s*(?:[/~\\]|[A-Za-z]:|$))/))
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(part => resolve(expandHome(part))),
)

const onThisMachine = /^http:\/\/(?:localhost|127(?:\.\d+){3}|\[::1\])(?:[:/]|$)/i

/** An API's address. The key goes there: in the clear only to a stand-in on this machine. */
export const baseUrl = (usual: string) =>
  z
    .url({ protocol: /^https?$/, error: `an address such as ${usual}` })
    .refine(text => !/^https?:\/\/(?:[^/?#]*@)?dashscope\.aliyuncs\.com\.?(?:[:/?#]|$)/i.test(text), {
      error: 'the international address; dashscope.aliyuncs.com (Beijing) is not served',
    })
    .refine(text => /^https:/i.test(text) || onThisMachine.test(text), {
      error: 'an https:// address; http:// is for stand-ins on this machine',
    })
    .default(usual)
    .transform(text => text.replace(/\/+$/, ''))

export const ossEndpoint = z
  .string()
  .regex(/^(?:https?:\/\/)?(?:[a-z0-9.-]+|\[::1\])(?::\d{1,5})?\/?$/i, {
    error: 'a host such as oss-eu-central-1.aliyuncs.com',
  })
  .refine(text => !/^http:/i.test(text) || onThisMachine.test(text), {
    error: 'a host or an https:// address; http:// is for stand-ins on this machine',
  })
  .default('oss-eu-central-1.aliyuncs.com')

const optional = (shape: RegExp, error: string) => z.string().regex(shape, { error }).optional()
export const bucket = optional(
  /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
  'the name of a bucket: 3 to 63 small letters, digits and hyphens',
)
export const region = optional(/^(?:oss-)?[a-z]{2,}(?:-[a-z0-9]+)+$/, 'a region such as eu-central-1')
export const key = optional(/^[!-~]+$/, 'the key as the console shows it, without blanks or other signs')

/** Of a service that is asked with a key: in the clear only to a stand-in on this machine. */
export const serviceAddress = (example: string) =>
  z
    .url({ protocol: /^https?$/, error: `an address such as ${example}` })
    .refine(text => /^https:/i.test(text) || onThisMachine.test(text), {
      error: 'an https:// address; http:// is for stand-ins on this machine',
    })
    .transform(text => text.replace(/\/+$/, ''))
export const instance = optional(
  /^[A-Za-z][A-Za-z0-9-]{1,49}$/,
  'the name of an instance, such as my-instance',
)
export const tablePrefix = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, { error: 'letters, digits and underlines, a letter first' })
  .default('speech_')
export const queueName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,119}$/, { error: 'letters, digits and hyphens' })
  .default('speech-jobs')

export const model = (usual: string) =>
  z
    .string()
    .refine(name => !/^paraformer/i.test(name), {
      error: `a model such as ${usual}; paraformer is not served`,
    })
    .default(usual)

export const number = (least: number, most: number, error: string) =>
  z.coerce.number({ error }).min(least).max(most)
export const count = (least: number, most: number) =>
  number(least, most, `a whole number from ${least} to ${most}`).int()

/** Names parted by commas, the first to be asked first. */
export const models = (usual: string) =>
  z
    .string()
    .default(usual)
    .transform((text, context): string[] => {
      const names = text
        .split(',')
        .map(name => name.trim())
        .filter(name => name !== '')
      if (names.length === 0 || names.some(name => !/^[\w.:/-]{1,100}$/.test(name)))
        context.addIssue(`a list of models such as ${usual}`)
      return [...new Set(names)]
    })

export interface Token {
  name: string
  token: string
}

/** `name:token,name:token`; a token is long enough that nobody guesses it. */
export const tokens = z.string().transform((text, context): Token[] => {
  const pairs = text.split(',').map(pair => /^\s*([\w.@-]{1,64}):([!-~]{16,512})\s*$/.exec(pair))
  const found = pairs.flatMap(pair => (pair ? [{ name: pair[1]!, token: pair[2]! }] : []))
  const distinct = new Set(found.map(({ token }) => token)).size === found.length
  if (found.length < pairs.length || !distinct)
    context.addIssue('name:token,name:token, each token of 16 characters or more and no two alike')
  return found
})

function expandHome(text: string): string {
  return text === '~' || /^~[/\\]/.test(text) ? join(homedir(), text.slice(1)) : text
}
