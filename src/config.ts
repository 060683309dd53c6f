// Every setting, in one table: its environment name, its flag, what it may be and what it is for.
import { homedir } from 'node:os'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import * as z from 'zod/v4'
import { SpeechError } from './domain/errors.ts'
import { type LogLevel, logLevels } from './log.ts'

interface Setting<T> {
  env: string
  flag: string
  schema: z.ZodType<T>
  help: string
}

function setting<T>(env: string, schema: z.ZodType<T>, help: string): Setting<T> {
  return { env, flag: env.toLowerCase().replaceAll('_', '-'), schema, help }
}

const folder = z.string().transform(text => resolve(expandHome(text)))
const file = z.string().transform(text => expandHome(text))

/** A list of folders as systems write them: parted by `:` (`;` on Windows), or by a comma before a path. */
const folders = z.string().transform(text =>
  text
    .split(delimiter)
    .flatMap(part => part.split(/,(?=\s*(?:[/~\\]|[A-Za-z]:|$))/))
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(part => resolve(expandHome(part))),
)

const onThisMachine = /^http:\/\/(?:localhost|127(?:\.\d+){3}|\[::1\])(?:[:/]|$)/i

const baseUrl = z
  .url({ protocol: /^https?$/, error: 'an address such as https://dashscope-intl.aliyuncs.com/api/v1' })
  .refine(text => !/^https?:\/\/(?:[^/?#]*@)?dashscope\.aliyuncs\.com\.?(?:[:/?#]|$)/i.test(text), {
    error: 'the international address; dashscope.aliyuncs.com (Beijing) is not served',
  })
  // The key goes there: in the clear only to a stand-in on this machine.
  .refine(text => /^https:/i.test(text) || onThisMachine.test(text), {
    error: 'an https:// address; http:// is for stand-ins on this machine',
  })
  .transform(text => text.replace(/\/+$/, ''))

const ossEndpoint = z
  .string()
  .regex(/^(?:https?:\/\/)?(?:[a-z0-9.-]+|\[::1\])(?::\d{1,5})?\/?$/i, {
    error: 'a host such as oss-eu-central-1.aliyuncs.com',
  })
  .refine(text => !/^http:/i.test(text) || onThisMachine.test(text), {
    error: 'a host or an https:// address; http:// is for stand-ins on this machine',
  })
  .default('oss-eu-central-1.aliyuncs.com')

const optional = (shape: RegExp, error: string) => z.string().regex(shape, { error }).optional()
const bucket = optional(
  /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
  'the name of a bucket: 3 to 63 small letters, digits and hyphens',
)
const region = optional(/^(?:oss-)?[a-z]{2,}(?:-[a-z0-9]+)+$/, 'a region such as eu-central-1')
const key = optional(/^[!-~]+$/, 'the key as the console shows it, without blanks or other signs')

const model = (usual: string) =>
  z
    .string()
    .refine(name => !/^paraformer/i.test(name), {
      error: `a model such as ${usual}; paraformer is not served`,
    })
    .default(usual)

const number = (least: number, most: number, error: string) => z.coerce.number({ error }).min(least).max(most)
const count = (least: number, most: number) =>
  number(least, most, `a whole number from ${least} to ${most}`).int()

export interface Token {
  name: string
  token: string
}

/** `name:token,name:token`; a token is long enough that nobody guesses it. */
const tokens = z.string().transform((text, context): Token[] => {
  const pairs = text.split(',').map(pair => /^\s*([\w.@-]{1,64}):([!-~]{16,512})\s*$/.exec(pair))
  const found = pairs.flatMap(pair => (pair ? [{ name: pair[1]!, token: pair[2]! }] : []))
  const distinct = new Set(found.map(({ token }) => token)).size === found.length
  if (found.length < pairs.length || !distinct)
    context.addIssue('name:token,name:token, each token of 16 characters or more and no two alike')
  return found
})

export const settings = {
  apiKey: setting('DASHSCOPE_API_KEY', key, 'Model Studio key of the Singapore region (sk-…)'),
  baseUrl: setting(
    'DASHSCOPE_BASE_URL',
    baseUrl.default('https://dashscope-intl.aliyuncs.com/api/v1'),
    'Model Studio address; a workspace address works too',
  ),
  asrModel: setting('ASR_MODEL', model('qwen3-asr-flash'), 'Model that recognises speech'),
  speakerModel: setting('SPEAKER_MODEL', model('fun-asr-mtl'), 'Model that tells speakers apart'),
  fileModel: setting('FILE_MODEL', model('qwen3-asr-flash-filetrans'), 'Model that recognises whole files'),
  ossBucket: setting('OSS_BUCKET', bucket, 'Bucket for uploads; otherwise DashScope’s store of two days'),
  ossEndpoint: setting('OSS_ENDPOINT', ossEndpoint, 'Host of the bucket’s region'),
  ossRegion: setting('OSS_REGION', region, 'The bucket’s region; otherwise as OSS_ENDPOINT says'),
  alibabaKey: setting('ALIBABA_ACCESS_KEY', key, 'Key of a RAM user who may use the bucket'),
  alibabaSecret: setting('ALIBABA_SECRET_KEY', key, 'Its secret'),
  ossKeyId: setting('OSS_ACCESS_KEY_ID', key, 'The same; goes before ALIBABA_ACCESS_KEY'),
  ossKeySecret: setting('OSS_ACCESS_KEY_SECRET', key, 'Its secret'),
  cloudKeyId: setting('ALIBABA_CLOUD_ACCESS_KEY_ID', key, 'The same, where neither of those is set'),
  cloudKeySecret: setting('ALIBABA_CLOUD_ACCESS_KEY_SECRET', key, 'Its secret'),
  cloudToken: setting('ALIBABA_CLOUD_SECURITY_TOKEN', key, 'Its token, where it is a temporary key'),
  ffmpegPath: setting(
    'FFMPEG_PATH',
    file.optional(),
    'ffmpeg to use; otherwise ffmpeg-static, then the system’s',
  ),
  dataDir: setting(
    'SPEECH_DATA_DIR',
    folder.optional(),
    'Folder of the transcripts; otherwise the system’s place for application data',
  ),
  allowedDirs: setting(
    'SPEECH_ALLOWED_DIRS',
    folders.optional(),
    'Folders that recordings may be read from, parted by : (; on Windows); otherwise the home folder',
  ),
  waitSeconds: setting(
    'SPEECH_WAIT_SECONDS',
    count(0, 240).default(45),
    'How long a call waits for the end before it answers with what is there, in seconds',
  ),
  pollSeconds: setting(
    'SPEECH_POLL_SECONDS',
    number(0.05, 60, 'a number of seconds from 0.05 to 60').default(5),
    'How often DashScope is asked how far a whole file is, in seconds',
  ),
  maxCostUsd: setting(
    'SPEECH_MAX_COST_USD',
    number(0, Number.MAX_VALUE, 'an amount such as 0.50').optional(),
    'Refuse a recording that would cost more, in US dollars',
  ),
  concurrency: setting('SPEECH_CONCURRENCY', count(1, 64).default(8), 'Requests to the provider at once'),
  maxDownloadMb: setting(
    'SPEECH_MAX_DOWNLOAD_MB',
    count(1, 100_000).default(2048),
    'Largest recording fetched from an https:// address, in megabytes',
  ),
  httpHost: setting(
    'SPEECH_HTTP_HOST',
    z.string().default('127.0.0.1'),
    'Address that `speech-mcp http` listens on; other than loopback only with SPEECH_TOKENS',
  ),
  httpPort: setting('SPEECH_HTTP_PORT', count(0, 65_535).default(8765), 'Its port; 0: any free one'),
  tokens: setting(
    'SPEECH_TOKENS',
    tokens.default([]),
    'Who may use `speech-mcp http`, as name:token,name:token; each name sees only its own',
  ),
  logLevel: setting(
    'SPEECH_LOG',
    z
      .enum(logLevels as [LogLevel, ...LogLevel[]], { error: `one of ${logLevels.join(', ')}` })
      .default('warn'),
    'Log level; the log is JSON lines on stderr',
  ),
} as const

type Settings = typeof settings
type Parsed = { [K in keyof Settings]: z.output<Settings[K]['schema']> }

/** Pairs of key and secret. The first that is there counts, and one is never mixed with another. */
const keyPairs = [
  { id: 'ossKeyId', secret: 'ossKeySecret' },
  { id: 'alibabaKey', secret: 'alibabaSecret' },
  { id: 'cloudKeyId', secret: 'cloudKeySecret', token: 'cloudToken' },
] as const
type OfPairs = (typeof keyPairs)[number]['id' | 'secret'] | 'cloudToken'

interface CloudKey {
  accessKeyId?: string
  accessKeySecret?: string
  /** Where the key is a temporary one. */
  securityToken?: string
}

export interface Config extends Omit<Parsed, OfPairs>, CloudKey {
  dataDir: string
  allowedDirs: string[]
  /** True when the folders were named by the user and are not the default. */
  allowedDirsGiven: boolean
  /** The system's PATH. */
  searchPath: string
}

export type Environment = Record<string, string | undefined>

/** Reads the settings, flags before environment. Throws `CONFIG_INVALID` with the name of the setting, never its value. */
export function readConfig(environment: Environment = process.env, flags: Environment = {}): Config {
  const parsed: Record<string, unknown> = {}
  for (const [key, { env, flag, schema }] of Object.entries(settings)) {
    const given = set(flags[flag]) ?? set(environment[env])
    const result = schema.safeParse(given)
    if (!result.success)
      throw new SpeechError('CONFIG_INVALID', `${env} (--${flag}) is not usable.`, {
        hint: `It should be ${result.error.issues[0]!.message.replace(/^Invalid input: expected /, '')}.`,
      })
    parsed[key] = result.data
  }
  const config = parsed as Parsed
  return {
    ...config,
    ...cloudKey(config),
    dataDir: config.dataDir ?? defaultDataDir(environment),
    allowedDirs: config.allowedDirs ?? [homedir()],
    allowedDirsGiven: config.allowedDirs !== undefined,
    searchPath: environment.PATH ?? environment.Path ?? '',
  }
}

/** Half a pair is a mistake only for those who need the key: the names are common ones that other programs read too. */
function cloudKey(parsed: Parsed): CloudKey {
  const pair = keyPairs.find(({ id, secret }) => parsed[id] !== undefined || parsed[secret] !== undefined)
  const [accessKeyId, accessKeySecret] = pair ? [parsed[pair.id], parsed[pair.secret]] : []
  if (accessKeyId && accessKeySecret) {
    const securityToken = pair && 'token' in pair ? parsed[pair.token] : undefined
    return { accessKeyId, accessKeySecret, ...(securityToken && { securityToken }) }
  }
  if (parsed.ossBucket === undefined) return {}
  const { id, secret } = pair ?? keyPairs[1]
  throw new SpeechError('CONFIG_INVALID', 'OSS_BUCKET is set without a whole key for it.', {
    hint: `Set both ${settings[id].env} and ${settings[secret].env}, or unset OSS_BUCKET.`,
  })
}

/** Names of settings that arrived as an unfilled template, which counts as unset. */
export function unfilledTemplates(environment: Environment = process.env): string[] {
  return Object.values(settings)
    .map(({ env }) => env)
    .filter(env => environment[env] !== undefined && isTemplate(environment[env]))
}

function set(value: string | undefined): string | undefined {
  const text = value?.trim()
  return text === undefined || text === '' || isTemplate(text) ? undefined : text
}

/** Some clients pass `${user_config.key}` through as it stands when the user left the field empty. */
function isTemplate(text: string): boolean {
  return /^\s*\$\{[^}]*\}\s*$/.test(text)
}

function expandHome(text: string): string {
  return text === '~' || /^~[/\\]/.test(text) ? join(homedir(), text.slice(1)) : text
}

function defaultDataDir(environment: Environment): string {
  const home = homedir()
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'speech-mcp')
  if (process.platform === 'win32')
    return join(set(environment.LOCALAPPDATA) ?? join(home, 'AppData', 'Local'), 'speech-mcp')
  const xdg = set(environment.XDG_DATA_HOME)
  return join(xdg && isAbsolute(xdg) ? xdg : join(home, '.local', 'share'), 'speech-mcp')
}
