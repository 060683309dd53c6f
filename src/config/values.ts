// Schemas for the values of settings: folders, addresses, names and numbers. Each error completes "Expected …".
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import * as z from 'zod/v4'

export const folder = z.string().transform(text => resolve(expandHome(text)))
export const file = z.string().transform(text => expandHome(text))

/** A list of folders, separated by `:` (`;` on Windows) or by a comma before a path. */
export const folders = z.string().transform(text =>
  text
    .split(delimiter)
    .flatMap(part => part.split(/,(?=\s*(?:[/~\\]|[A-Za-z]:|$))/))
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(part => resolve(expandHome(part))),
)

const loopbackHttp = /^http:\/\/(?:localhost|127(?:\.\d+){3}|\[::1\])(?:[:/]|$)/i

const httpsOnly = 'an https:// address; http:// is only for emulators on this machine'

/** Base URL of an API. The key is sent there, so plain http:// is allowed only for an emulator on this machine. */
export const baseUrl = (defaultUrl: string) =>
  z
    .url({ protocol: /^https?$/, error: `an address such as ${defaultUrl}` })
    .refine(text => !/^https?:\/\/(?:[^/?#]*@)?dashscope\.aliyuncs\.com\.?(?:[:/?#]|$)/i.test(text), {
      error: 'the international address; dashscope.aliyuncs.com (Beijing) is not supported',
    })
    .refine(text => /^https:/i.test(text) || loopbackHttp.test(text), { error: httpsOnly })
    .default(defaultUrl)
    .transform(text => text.replace(/\/+$/, ''))

/**
 * Base URL of an engine that may run on the user's own network. Recordings are sent there, and a key if there is one, so
 * plain http:// is allowed only for hosts that are not on the internet.
 */
export const ownServer = (defaultUrl: string) =>
  z
    .url({ protocol: /^https?$/, error: `an address such as ${defaultUrl} or http://127.0.0.1:8000/v1` })
    .refine(text => /^https:/i.test(text) || isPrivateUrl(text), {
      error: 'an https:// address; http:// is only for hosts of a private network',
    })
    .default(defaultUrl)
    .transform(text => text.replace(/\/+$/, ''))

/** Loopback, private and link-local addresses, names without a dot, and names that exist only in a local network. */
const privateHosts = [
  /^127(?:\.\d+){3}$/,
  /^10(?:\.\d+){3}$/,
  /^192\.168(?:\.\d+){2}$/,
  /^172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2}$/,
  /^169\.254(?:\.\d+){2}$/,
  /^\[(?:::1|f[cd][0-9a-f]{2}:.*|fe[89ab][0-9a-f]:.*)\]$/i,
  /^[a-z0-9_-]+$/i,
  /\.(?:local|lan|internal|localhost)$/i,
]

function isPrivateUrl(text: string): boolean {
  // Another check refuses what is no URL.
  const host = URL.canParse(text) ? new URL(text).hostname.replace(/\.$/, '') : ''
  return privateHosts.some(pattern => pattern.test(host))
}

export const ossEndpoint = z
  .string()
  .regex(/^(?:https?:\/\/)?(?:[a-z0-9.-]+|\[::1\])(?::\d{1,5})?\/?$/i, {
    error: 'a host such as oss-eu-central-1.aliyuncs.com',
  })
  .refine(text => !/^http:/i.test(text) || loopbackHttp.test(text), { error: `a host or ${httpsOnly}` })
  .default('oss-eu-central-1.aliyuncs.com')

const optional = (shape: RegExp, error: string) => z.string().regex(shape, { error }).optional()
export const bucket = optional(
  /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
  'the name of a bucket: 3 to 63 lowercase letters, digits and hyphens',
)
export const region = optional(/^(?:oss-)?[a-z]{2,}(?:-[a-z0-9]+)+$/, 'a region such as eu-central-1')
export const key = optional(/^[!-~]+$/, 'the key as the console shows it, without spaces or quotes')

/** Address of a service that receives the key, so plain http:// is allowed only for an emulator on this machine. */
export const serviceAddress = (example: string) =>
  z
    .url({ protocol: /^https?$/, error: `an address such as ${example}` })
    .refine(text => /^https:/i.test(text) || loopbackHttp.test(text), { error: httpsOnly })
    .transform(text => text.replace(/\/+$/, ''))
export const instance = optional(
  /^[A-Za-z][A-Za-z0-9-]{1,49}$/,
  'the name of an instance, such as my-instance',
)
export const tablePrefix = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, {
    error: 'letters, digits and underscores, starting with a letter',
  })
  .default('speech_')
export const queueName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,119}$/, { error: 'letters, digits and hyphens' })
  .default('speech-jobs')

export const number = (min: number, max: number, error: string) =>
  z.coerce.number({ error }).min(min).max(max)
export const count = (min: number, max: number) =>
  number(min, max, `a whole number from ${min} to ${max}`).int()

/** Model names separated by commas, in order of preference. */
export const models = (defaultModels: string) =>
  z
    .string()
    .default(defaultModels)
    .transform((text, context): string[] => {
      const names = text
        .split(',')
        .map(name => name.trim())
        .filter(name => name !== '')
      if (names.length === 0 || names.some(name => !/^[\w.:/-]{1,100}$/.test(name)))
        context.addIssue(`a list of models such as ${defaultModels}`)
      return [...new Set(names)]
    })

export const speechModels = (defaultModels: string) =>
  models(defaultModels).refine(names => !names.some(name => /^paraformer/i.test(name)), {
    error: `a list of models such as ${defaultModels}; paraformer is not supported`,
  })

export interface Token {
  name: string
  token: string
}

/** `name:token,name:token`; a token has at least 16 characters, so that it cannot be guessed. */
export const tokens = z.string().transform((text, context): Token[] => {
  const pairs = text.split(',').map(pair => /^\s*([\w.@-]{1,64}):([!-~]{16,512})\s*$/.exec(pair))
  const found = pairs.flatMap(pair => (pair ? [{ name: pair[1]!, token: pair[2]! }] : []))
  const distinct = new Set(found.map(({ token }) => token)).size === found.length
  if (found.length < pairs.length || !distinct)
    context.addIssue('name:token,name:token, with distinct tokens of at least 16 characters')
  return found
})

function expandHome(text: string): string {
  return text === '~' || /^~[/\\]/.test(text) ? join(homedir(), text.slice(1)) : text
}
