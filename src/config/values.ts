// Schemas for the values of settings: folders, addresses, names and numbers. Each error completes "Expected …".
import { homedir } from 'node:os'
import { basename, delimiter, join, resolve } from 'node:path'
import * as z from 'zod/v4'
import { isPrivateHost, isPrivateUrl } from '../domain/network/private-hosts.ts'

// Before the schemas of messages are made. zod would write code for each one that checks an object, and have it
// compiled. At the start that takes longer than the checks. Without it, ten thousand words of a provider take 5 ms more.
z.config({ jitless: true })

export const folder = z.string().transform(text => resolve(expandHome(text)))
/** A bare name is that of a program, which is searched on the PATH. */
export const file = z.string().transform(text => (basename(text) === text ? text : resolve(expandHome(text))))

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
const httpsOrPrivate = 'an https:// address; http:// is only for hosts of a private network'

/** Base URL of an API. The key is sent there, so plain http:// is allowed only for an emulator on this machine. */
export const baseUrl = (defaultUrl: string) => apiUrl(defaultUrl, text => loopbackHttp.test(text), httpsOnly)

/** Base URL of an API that may run on the user's own network: there plain http:// is allowed. */
export const ownServer = (defaultUrl: string) => apiUrl(defaultUrl, isPrivateUrl, httpsOrPrivate)

const apiUrl = (defaultUrl: string, isHttpAllowed: (text: string) => boolean, error: string) =>
  z
    .url({ protocol: /^https?$/, error: `an address such as ${defaultUrl}` })
    .refine(text => !/^https?:\/\/(?:[^/?#]*@)?dashscope\.aliyuncs\.com\.?(?:[:/?#]|$)/i.test(text), {
      error: 'the international address; dashscope.aliyuncs.com (Beijing) is not supported',
    })
    .refine(text => /^https:/i.test(text) || isHttpAllowed(text), { error })
    .default(defaultUrl)
    .transform(text => text.replace(/\/+$/, ''))

/** An address, or the name of a network interface of this machine. */
export const networkInterface = z
  .string()
  .regex(/^[\w.:%-]{1,60}$/, { error: 'an address of this machine, or the name of a network interface' })
  .refine(text => !/^[\d.]+$|:/.test(text) || isPrivateHost(text), {
    error: 'an address in a private network; recordings are not served to the internet',
  })
  .optional()

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
/** US dollars. */
export const amount = number(0, Number.MAX_VALUE, 'an amount such as 0.50')
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

/** The name of an identity provider as it stands in its tokens: a slash at the end counts. */
export const issuer = z
  .url({ protocol: /^https?$/, error: 'an address such as https://login.example.com/realms/main' })
  .refine(text => /^https:/i.test(text) || loopbackHttp.test(text), { error: httpsOnly })
  .refine(text => !/[?#@]/.test(text), { error: 'an address without a query, a fragment or a user' })
export const audiences = z.string().transform((text, context): string[] => {
  const names = text
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
  const isName = (name: string) =>
    /^[!-~]{1,500}$/.test(name) && !/["\\]/.test(name) && (!/^https?:/i.test(name) || URL.canParse(name))
  if (names.length === 0 || !names.every(isName))
    context.addIssue('an audience such as https://speech.example.com/mcp, or several separated by commas')
  return names
})
export const clientId = z
  .string()
  .regex(/^[!-~]{1,300}$/, { error: 'the id of a client, such as speech-home' })

export const claim = z
  .string()
  .regex(/^[!-~]{1,200}$/, { error: 'the name of a claim, such as sub' })
  .default('sub')

/** Host names separated by commas, each with its port if one is given; a scheme is left out. */
export const hostNames = z.string().transform((text, context): string[] => {
  const names = text
    .split(',')
    .map(name =>
      name
        .trim()
        .toLowerCase()
        .replace(/^https?:\/\//, '')
        .replace(/\/$/, ''),
    )
    .filter(name => name !== '')
  const isHost = (name: string) =>
    /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/.test(name) && URL.canParse(`http://${name}`)
  if (!names.every(isHost)) context.addIssue('a list of host names such as speech.example.com, without *')
  return names
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
