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

const baseUrl = z
  .url({ protocol: /^https?$/, error: 'an address such as https://dashscope-intl.aliyuncs.com/api/v1' })
  .refine(text => !/^https?:\/\/(?:[^/?#]*@)?dashscope\.aliyuncs\.com\.?(?:[:/?#]|$)/i.test(text), {
    error: 'the international address; dashscope.aliyuncs.com (Beijing) is not served',
  })
  // The key goes there: in the clear only to a stand-in on this machine.
  .refine(text => /^https:|^http:\/\/(?:localhost|127(?:\.\d+){3}|\[::1\])(?:[:/]|$)/i.test(text), {
    error: 'an https:// address; http:// is for stand-ins on this machine',
  })
  .transform(text => text.replace(/\/+$/, ''))

const count = (least: number, most: number) =>
  z.coerce
    .number({ error: `a whole number from ${least} to ${most}` })
    .int()
    .min(least)
    .max(most)

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
  apiKey: setting(
    'DASHSCOPE_API_KEY',
    z
      .string()
      .regex(/^[!-~]+$/, { error: 'the key as the console shows it (sk-…), without blanks or other signs' })
      .optional(),
    'Model Studio key of the Singapore region (sk-…)',
  ),
  baseUrl: setting(
    'DASHSCOPE_BASE_URL',
    baseUrl.default('https://dashscope-intl.aliyuncs.com/api/v1'),
    'Model Studio address; a workspace address works too',
  ),
  asrModel: setting(
    'ASR_MODEL',
    z
      .string()
      .refine(name => !/^paraformer/i.test(name), {
        error: 'a qwen3-asr-flash model; paraformer is not served',
      })
      .default('qwen3-asr-flash'),
    'Model that recognises speech',
  ),
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
  maxCostUsd: setting(
    'SPEECH_MAX_COST_USD',
    z.coerce
      .number({ error: 'an amount such as 0.50' })
      .min(0, { error: 'an amount such as 0.50' })
      .optional(),
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

export interface Config extends Parsed {
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
    dataDir: config.dataDir ?? defaultDataDir(environment),
    allowedDirs: config.allowedDirs ?? [homedir()],
    allowedDirsGiven: config.allowedDirs !== undefined,
    searchPath: environment.PATH ?? environment.Path ?? '',
  }
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
