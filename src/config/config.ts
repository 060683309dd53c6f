// Reads the settings: flags override the environment, which overrides defaults. No other file reads the environment.
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type * as z from 'zod/v4'
import { SpeechError } from '../domain/errors.ts'
import { isPrivateUrl } from '../domain/network/private-hosts.ts'
import type { Proxies } from '../domain/network/proxies.ts'
import { settings } from './settings.ts'

type Settings = typeof settings
type Parsed = { [K in keyof Settings]: z.output<Settings[K]['schema']> }

/** Pairs of key and secret. The first pair that is set is used; halves of two pairs are never mixed. */
const keyPairs = [
  { id: 'ossKeyId', secret: 'ossKeySecret' },
  { id: 'alibabaKey', secret: 'alibabaSecret' },
  { id: 'cloudKeyId', secret: 'cloudKeySecret', token: 'cloudToken' },
] as const
type KeySetting = (typeof keyPairs)[number]['id' | 'secret'] | 'cloudToken'

export interface CloudKey {
  accessKeyId: string
  accessKeySecret: string
  /** Only with a temporary key. */
  securityToken?: string | undefined
}

export interface Config extends Omit<Parsed, KeySetting> {
  /** Key for the bucket. */
  bucketKey?: CloudKey | undefined
  /** Key for Tablestore and MNS. */
  serviceKey?: CloudKey | undefined
  /** DASHSCOPE_BASE_URL is a server of the user's own, which fetches recordings from this address or interface. */
  ownDashscope?: { fileHost: string } | undefined
  /** Undefined where no variable of the environment names one that can be used. */
  proxies?: Proxies | undefined
  /** Variables with a proxy of another kind, such as SOCKS. Other programs share them, so that is no error. */
  unusedProxies: string[]
  dataDir: string
  allowedDirs: string[]
  /** True if the user set the folders; false for the default. */
  allowedDirsGiven: boolean
  /** The system's PATH. */
  searchPath: string
}

export type Environment = Record<string, string | undefined>

/** Reads the settings. Throws `CONFIG_INVALID` with the name of the setting, never its value. */
export function readConfig(environment: Environment = process.env, flags: Environment = {}): Config {
  const parsed: Record<string, unknown> = {}
  for (const [key, { env, flag, schema }] of Object.entries(settings)) {
    const isForOthers = key === 'openaiUrl' && !namesOpenAi(parsed as Parsed)
    const given = isForOthers ? undefined : (cleanValue(flags[flag]) ?? cleanValue(environment[env]))
    const result = schema.safeParse(given)
    if (!result.success)
      throw new SpeechError('CONFIG_INVALID', `The value of ${env} (--${flag}) is invalid.`, {
        hint: `Expected ${result.error.issues[0]!.message.replace(/^Invalid input: expected /, '')}.`,
      })
    parsed[key] = result.data
  }
  const config = parsed as Parsed
  checkLogin(config)
  return {
    ...config,
    ...keysOf(config),
    ownDashscope: ownDashscopeOf(config),
    ...proxiesOf(environment),
    dataDir: config.dataDir ?? defaultDataDir(environment),
    allowedDirs: config.allowedDirs ?? [homedir()],
    allowedDirsGiven: config.allowedDirs !== undefined,
    searchPath: environment.PATH ?? environment.Path ?? '',
  }
}

function checkLogin({ oauthIssuer, oauthAudiences, oauthClientId, oauthClientSecret }: Parsed): void {
  if ((oauthClientId !== undefined && !oauthIssuer) || (oauthClientSecret !== undefined && !oauthClientId))
    throw new SpeechError('CONFIG_INVALID', 'A setting of the sign-in with an account is missing.', {
      hint: 'SPEECH_OAUTH_CLIENT_SECRET needs SPEECH_OAUTH_CLIENT_ID, which needs SPEECH_OAUTH_ISSUER.',
    })
  if ((oauthIssuer === undefined) === (oauthAudiences.length === 0)) return
  throw new SpeechError('CONFIG_INVALID', 'SPEECH_OAUTH_ISSUER and SPEECH_OAUTH_AUDIENCE need each other.', {
    hint: 'Set both, or neither. The audience is that of the tokens, such as https://speech.example.com/mcp.',
  })
}

/** The variables of other programs, which agree on lower case before upper case. */
function proxiesOf(environment: Environment): Pick<Config, 'proxies' | 'unusedProxies'> {
  const read = (name: string) => cleanValue(environment[name.toLowerCase()] ?? environment[name])
  const exceptions = read('NO_PROXY') ?? ''
  const names = exceptions.split(/[,\s]+/).includes('*') ? [] : ['HTTP_PROXY', 'HTTPS_PROXY']
  const [http, https] = names.map(name => proxyIn(read(name)))
  return {
    proxies: http || https ? { http, https, exceptions } : undefined,
    unusedProxies: names.filter(name => read(name) !== undefined && !proxyIn(read(name))),
  }
}

/** Undefined if the value is no address of a proxy that can be used. */
function proxyIn(value = ''): URL | undefined {
  const text = value.includes('://') ? value : `http://${value}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url && /^https?:$/.test(url.protocol) && canDecode(url.username + url.password) ? url : undefined
}

function canDecode(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined
  } catch {
    return false
  }
}

/** Other programs read OPENAI_BASE_URL too: without a model of that server it does not count. */
export function namesOpenAi({
  asrModels,
  modelDescriptions,
}: Pick<Parsed, 'asrModels' | 'modelDescriptions'>): boolean {
  return (
    asrModels.some(name => name.startsWith('openai:')) ||
    modelDescriptions.some(({ provider }) => provider === 'openai')
  )
}

/** A server on a private network; with a key it may be an emulator of Model Studio, unless SPEECH_FILE_HOST is set. */
function ownDashscopeOf({ baseUrl, apiKey, fileHost }: Parsed): Config['ownDashscope'] {
  const isOwn = isPrivateUrl(baseUrl) && (apiKey === undefined || fileHost !== undefined)
  return isOwn ? { fileHost: fileHost ?? '127.0.0.1' } : undefined
}

const defaultOrderUsd = 5

/** Limits in US dollars; `isStrict` where the user has set one: then the price of each model has to be known. */
export function costLimits({ maxCostUsd: order, maxCostPerDayUsd: day }: Config) {
  const orderUsd = order ?? defaultOrderUsd
  return {
    ...(orderUsd > 0 && { orderUsd }),
    ...(day && { dayUsd: day }),
    isStrict: Boolean(order || day),
  }
}

/** True where the models for whole files can be asked. */
export function hasFileModels({ apiKey, ownDashscope }: Config): boolean {
  return apiKey !== undefined || ownDashscope !== undefined
}

/** False where recognition lacks a key: an engine of one’s own may need none. */
export function canRunJobs(config: Config): boolean {
  return hasFileModels(config) || config.asrModels.some(name => name.startsWith('openai:'))
}

/** An incomplete pair is an error only if a service needs the key: other programs read the same variables. */
function keysOf(parsed: Parsed): Pick<Config, 'bucketKey' | 'serviceKey'> {
  const [oss, ...general] = keyPairs
  const { ossBucket, tablestoreEndpoint, mnsEndpoint } = parsed
  if (mnsEndpoint !== undefined && (tablestoreEndpoint === undefined || ossBucket === undefined))
    throw new SpeechError(
      'CONFIG_INVALID',
      'MNS_ENDPOINT is set without TABLESTORE_ENDPOINT and OSS_BUCKET.',
      { hint: 'Workers on other machines need both: set them too, or unset MNS_ENDPOINT.' },
    )
  const bucketKey = keyFor('OSS_BUCKET', ossBucket !== undefined, [oss, ...general], parsed)
  const needed = mnsEndpoint !== undefined ? 'MNS_ENDPOINT' : 'TABLESTORE_ENDPOINT'
  // The OSS pair comes last: a key made for the bucket may have no other rights.
  const serviceKey = keyFor(needed, tablestoreEndpoint !== undefined, [...general, oss], parsed)
  return { bucketKey, serviceKey }
}

function keyFor(
  service: string,
  isNeeded: boolean,
  pairs: readonly (typeof keyPairs)[number][],
  parsed: Parsed,
): CloudKey | undefined {
  const pair = pairs.find(({ id, secret }) => parsed[id] !== undefined || parsed[secret] !== undefined)
  const [accessKeyId, accessKeySecret] = pair ? [parsed[pair.id], parsed[pair.secret]] : []
  if (accessKeyId && accessKeySecret) {
    const securityToken = pair && 'token' in pair ? parsed[pair.token] : undefined
    return { accessKeyId, accessKeySecret, securityToken }
  }
  if (!isNeeded) return undefined
  const { id, secret } = pair ?? keyPairs[1]
  throw new SpeechError('CONFIG_INVALID', `${service} is set without a complete key.`, {
    hint: `Set both ${settings[id].env} and ${settings[secret].env}, or unset ${service}.`,
  })
}

/** Names of variables whose value is an unfilled template; they count as unset. */
export function unfilledTemplates(environment: Environment = process.env): string[] {
  return Object.values(settings)
    .map(({ env }) => env)
    .filter(env => environment[env] !== undefined && isTemplate(environment[env]))
}

/** The value of a setting's variable as it counts: without blanks around it; undefined if it is unset. */
export function variable(name: string, environment: Environment = process.env): string | undefined {
  return cleanValue(environment[name])
}

/** A variable by which another program names its folder; undefined if it is empty or no absolute path. */
export function folderVariable(name: string, environment: Environment = process.env): string | undefined {
  const folder = variable(name, environment)
  return folder && isAbsolute(folder) ? folder : undefined
}

/** Trims a value; undefined if it is empty or an unfilled template. */
export function cleanValue(value: string | undefined): string | undefined {
  const text = value?.trim()
  return text === undefined || text === '' || isTemplate(text) ? undefined : text
}

/** Some clients pass `${user_config.key}` unchanged if the user left the field empty. */
function isTemplate(text: string): boolean {
  return /^\s*\$\{[^}]*\}\s*$/.test(text)
}

function defaultDataDir(environment: Environment): string {
  const home = homedir()
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'speech-mcp')
  if (process.platform === 'win32')
    return join(cleanValue(environment.LOCALAPPDATA) ?? join(home, 'AppData', 'Local'), 'speech-mcp')
  const xdg = folderVariable('XDG_DATA_HOME', environment)
  return join(xdg ?? join(home, '.local', 'share'), 'speech-mcp')
}
