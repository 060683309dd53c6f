// Every setting, in one table: its environment name, its flag, what it may be and what it is for.
import * as z from 'zod/v4'
import { type LogLevel, logLevels } from '../log.ts'
import {
  baseUrl,
  bucket,
  count,
  file,
  folder,
  folders,
  instance,
  key,
  model,
  models,
  number,
  ossEndpoint,
  queueName,
  region,
  serviceAddress,
  tablePrefix,
  tokens,
} from './values.ts'

interface Setting<T> {
  env: string
  flag: string
  schema: z.ZodType<T>
  help: string
}

function setting<T>(env: string, schema: z.ZodType<T>, help: string): Setting<T> {
  return { env, flag: env.toLowerCase().replaceAll('_', '-'), schema, help }
}

export const settings = {
  apiKey: setting('DASHSCOPE_API_KEY', key, 'Model Studio key of the Singapore region (sk-…)'),
  baseUrl: setting(
    'DASHSCOPE_BASE_URL',
    baseUrl('https://dashscope-intl.aliyuncs.com/api/v1'),
    'Model Studio address; a workspace address works too',
  ),
  asrModel: setting('ASR_MODEL', model('qwen3-asr-flash'), 'Model that recognises speech'),
  speakerModel: setting('SPEAKER_MODEL', model('fun-asr-mtl'), 'Model that tells speakers apart'),
  fileModel: setting('FILE_MODEL', model('qwen3-asr-flash-filetrans'), 'Model that recognises whole files'),
  formatModels: setting(
    'FORMAT_MODELS',
    models('qwen-turbo,qwen-flash,gemini-2.5-flash,gemini-3.5-flash-lite'),
    'Models that make text readable, parted by commas; the first that answers counts',
  ),
  geminiKey: setting('GEMINI_API_KEY', key, 'Key for the Gemini models among them'),
  geminiUrl: setting(
    'GEMINI_BASE_URL',
    baseUrl('https://generativelanguage.googleapis.com/v1beta'),
    'Gemini address, with its version',
  ),
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
  tablestoreEndpoint: setting(
    'TABLESTORE_ENDPOINT',
    serviceAddress('https://my-instance.eu-central-1.ots.aliyuncs.com').optional(),
    'Tablestore instance that keeps transcripts and jobs; otherwise a file in SPEECH_DATA_DIR does',
  ),
  tablestoreInstance: setting(
    'TABLESTORE_INSTANCE',
    instance,
    'Its name; otherwise the first part of its address',
  ),
  tablestorePrefix: setting('TABLESTORE_PREFIX', tablePrefix, 'How the names of its tables begin'),
  retentionDays: setting(
    'SPEECH_RETENTION_DAYS',
    count(1, 36_500).optional(),
    'With Tablestore: days after which what was not changed since is forgotten; otherwise it is kept',
  ),
  mnsEndpoint: setting(
    'MNS_ENDPOINT',
    serviceAddress('https://1234567890.mns.eu-central-1.aliyuncs.com').optional(),
    'Queue service that hands jobs to `speech-mcp worker`, on any machine; with TABLESTORE_ENDPOINT and OSS_BUCKET',
  ),
  mnsQueue: setting('MNS_QUEUE', queueName, 'Name of the queue; voice notes have one beside it, with -brief'),
  workerJobs: setting(
    'SPEECH_WORKER_JOBS',
    count(1, 64).default(4),
    'How many recordings `speech-mcp worker` works on at once',
  ),
  workerHost: setting(
    'SPEECH_WORKER_HOST',
    z.string().default('127.0.0.1'),
    'Address on which a worker tells its health and its metrics',
  ),
  workerPort: setting('SPEECH_WORKER_PORT', count(0, 65_535).default(8766), 'Its port; 0: any free one'),
  drainSeconds: setting(
    'SPEECH_DRAIN_SECONDS',
    count(0, 3600).default(20),
    'How long a worker that is stopped goes on with what it has, before it gives it back',
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
  pollSeconds: setting(
    'SPEECH_POLL_SECONDS',
    number(0.05, 60, 'a number of seconds from 0.05 to 60').default(5),
    'How often DashScope is asked how far a whole file is, in seconds',
  ),
  maxCostUsd: setting(
    'SPEECH_MAX_COST_USD',
    number(0, Number.MAX_VALUE, 'an amount such as 0.50').optional(),
    'Refuse a recording or a text that would cost more, in US dollars',
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
