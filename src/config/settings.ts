// Settings in one table: environment name, flag, schema and help. `docs/settings.md` is generated from it.
import * as z from 'zod/v4'
import { type LogLevel, logLevels } from '../log.ts'
import { modelDescriptions } from './model-descriptions.ts'
import {
  amount,
  audiences,
  baseUrl,
  bucket,
  claim,
  clientId,
  count,
  file,
  folder,
  folders,
  hostNames,
  instance,
  issuer,
  key,
  models,
  networkInterface,
  number,
  ossEndpoint,
  ownServer,
  queueName,
  region,
  serviceAddress,
  speechModels,
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
  apiKey: setting('DASHSCOPE_API_KEY', key, 'Model Studio API key of the Singapore region (sk-…)'),
  baseUrl: setting(
    'DASHSCOPE_BASE_URL',
    ownServer('https://dashscope-intl.aliyuncs.com/api/v1'),
    'Base URL of Model Studio, of a workspace, or of a server of your own with DashScope’s file tasks',
  ),
  asrModels: setting(
    'ASR_MODEL',
    speechModels('qwen3-asr-flash,qwen-audio-3.1-asr-flash'),
    'Models that transcribe chunks of a recording, separated by commas; the first one that exists is used',
  ),
  speakerModels: setting(
    'SPEAKER_MODEL',
    speechModels('fun-asr-mtl,fun-asr,qwen-audio-3.1-asr-flash-filetrans'),
    'Models that detect who speaks when, separated by commas; the first one that exists is used',
  ),
  fileModels: setting(
    'FILE_MODEL',
    speechModels('qwen3-asr-flash-filetrans,qwen-audio-3.1-asr-flash-filetrans'),
    'Models that transcribe whole files, with measured times, separated by commas; the first one that exists is used',
  ),
  formatModels: setting(
    'FORMAT_MODELS',
    models('qwen-turbo,qwen-flash,gemini-2.5-flash,gemini-3.5-flash-lite'),
    'Models that format text, separated by commas; the first one that answers is used',
  ),
  modelDescriptions: setting(
    'SPEECH_MODELS',
    modelDescriptions.default([]),
    'Facts about models that the program does not know, or that differ here: `name form=… usd_per_second=…`, separated by `;`',
  ),
  geminiKey: setting('GEMINI_API_KEY', key, 'API key for the Gemini models in FORMAT_MODELS'),
  geminiUrl: setting(
    'GEMINI_BASE_URL',
    baseUrl('https://generativelanguage.googleapis.com/v1beta'),
    'Base URL of the Gemini API, including its version',
  ),
  openaiUrl: setting(
    'OPENAI_BASE_URL',
    ownServer('https://api.openai.com/v1'),
    'Base URL of a server with OpenAI’s transcription API, such as `http://127.0.0.1:8000/v1`; it serves the models whose names begin with `openai:`',
  ),
  fileHost: setting(
    'SPEECH_FILE_HOST',
    networkInterface,
    'Address or network interface of this machine, where a DashScope server of your own fetches recordings; without it 127.0.0.1',
  ),
  openaiKey: setting('OPENAI_API_KEY', key, 'Key for OPENAI_BASE_URL; most engines of your own need none'),
  ossBucket: setting(
    'OSS_BUCKET',
    bucket,
    'OSS bucket for temporary uploads; without it they go into DashScope’s store, which deletes them after 48 hours',
  ),
  ossEndpoint: setting('OSS_ENDPOINT', ossEndpoint, 'Public endpoint of the bucket’s region'),
  ossRegion: setting('OSS_REGION', region, 'Region of the bucket, if the endpoint does not contain it'),
  alibabaKey: setting(
    'ALIBABA_ACCESS_KEY',
    key,
    'AccessKey ID of a RAM user with rights to the bucket, Tablestore and MNS, as far as they are set',
  ),
  alibabaSecret: setting('ALIBABA_SECRET_KEY', key, 'Secret of ALIBABA_ACCESS_KEY'),
  ossKeyId: setting(
    'OSS_ACCESS_KEY_ID',
    key,
    'Another AccessKey ID: used first for the bucket, and last for Tablestore and MNS',
  ),
  ossKeySecret: setting('OSS_ACCESS_KEY_SECRET', key, 'Secret of OSS_ACCESS_KEY_ID'),
  cloudKeyId: setting(
    'ALIBABA_CLOUD_ACCESS_KEY_ID',
    key,
    'Another AccessKey ID, used if ALIBABA_ACCESS_KEY is not set',
  ),
  cloudKeySecret: setting('ALIBABA_CLOUD_ACCESS_KEY_SECRET', key, 'Secret of ALIBABA_CLOUD_ACCESS_KEY_ID'),
  cloudToken: setting(
    'ALIBABA_CLOUD_SECURITY_TOKEN',
    key,
    'Security token of ALIBABA_CLOUD_ACCESS_KEY_ID, if that is a temporary key',
  ),
  tablestoreEndpoint: setting(
    'TABLESTORE_ENDPOINT',
    serviceAddress('https://my-instance.eu-central-1.ots.aliyuncs.com').optional(),
    'Tablestore instance for transcripts and jobs, such as `https://my-instance.eu-central-1.ots.aliyuncs.com`; without it they are in a file in SPEECH_DATA_DIR',
  ),
  tablestoreInstance: setting(
    'TABLESTORE_INSTANCE',
    instance,
    'Name of the instance, if it is not the first part of its host name',
  ),
  tablestorePrefix: setting('TABLESTORE_PREFIX', tablePrefix, 'Prefix of the table names'),
  retentionDays: setting(
    'SPEECH_RETENTION_DAYS',
    count(1, 36_500).optional(),
    'Tablestore only: deletes rows this many days after their last change; without it they are kept',
  ),
  mnsEndpoint: setting(
    'MNS_ENDPOINT',
    serviceAddress('https://1234567890.mns.eu-central-1.aliyuncs.com').optional(),
    'Queue service that sends jobs to `speech-mcp worker` on any machine, such as `https://1234567890.mns.eu-central-1.aliyuncs.com`; needs TABLESTORE_ENDPOINT and OSS_BUCKET',
  ),
  mnsQueue: setting(
    'MNS_QUEUE',
    queueName,
    'Name of the queue; voice notes have a second queue with the suffix `-brief`',
  ),
  workerJobs: setting(
    'SPEECH_WORKER_JOBS',
    count(1, 64).default(4),
    'Number of recordings that a worker processes at once',
  ),
  workerHost: setting(
    'SPEECH_WORKER_HOST',
    z.string().default('127.0.0.1'),
    'Address on which a worker serves `/healthz` and `/metrics`',
  ),
  workerPort: setting(
    'SPEECH_WORKER_PORT',
    count(0, 65_535).default(8766),
    'Port of a worker; 0: any free port',
  ),
  drainSeconds: setting(
    'SPEECH_DRAIN_SECONDS',
    count(0, 3600).default(20),
    'Seconds for which a worker continues its jobs after SIGTERM, before it returns them to the queue',
  ),
  ffmpegPath: setting(
    'FFMPEG_PATH',
    file.optional(),
    'Path of ffmpeg; without it the package ffmpeg-static is used if installed, then the ffmpeg in PATH',
  ),
  dataDir: setting(
    'SPEECH_DATA_DIR',
    folder.optional(),
    'Folder for transcripts; without it `~/.local/share/speech-mcp`, on macOS `~/Library/Application Support/speech-mcp`, on Windows `%LOCALAPPDATA%\\speech-mcp`',
  ),
  allowedDirs: setting(
    'SPEECH_ALLOWED_DIRS',
    folders.optional(),
    'Folders from which recordings may be read and to which transcripts may be saved, separated by `:` (`;` on Windows); without it the home folder',
  ),
  waitSeconds: setting(
    'SPEECH_WAIT_SECONDS',
    count(0, 240).default(45),
    'Seconds that a call waits for the result before it answers with the text so far',
  ),
  pollSeconds: setting(
    'SPEECH_POLL_SECONDS',
    number(0.05, 60, 'a number of seconds from 0.05 to 60').default(5),
    'Seconds between two status requests for a file task at DashScope',
  ),
  maxCostUsd: setting(
    'SPEECH_MAX_COST_USD',
    amount.optional(),
    'US dollars that a recording or a text may cost, with all its parts; 0: no limit; without it 5, which models without a known price do not keep to',
  ),
  maxCostPerDayUsd: setting(
    'SPEECH_MAX_COST_USD_PER_DAY',
    amount.optional(),
    'US dollars that each owner may spend a day (UTC); 0: no limit',
  ),
  concurrency: setting(
    'SPEECH_CONCURRENCY',
    count(1, 64).default(8),
    'Number of requests to the provider at once',
  ),
  maxDownloadMb: setting(
    'SPEECH_MAX_DOWNLOAD_MB',
    count(1, 100_000).default(2048),
    'Maximum size of a recording that is downloaded from a URL or uploaded over HTTP, in megabytes',
  ),
  httpHost: setting(
    'SPEECH_HTTP_HOST',
    z.string().default('127.0.0.1'),
    'Address that `speech-mcp http` listens on; other than loopback only with SPEECH_TOKENS or SPEECH_OAUTH_ISSUER',
  ),
  httpPort: setting(
    'SPEECH_HTTP_PORT',
    count(0, 65_535).default(8765),
    'Port of `speech-mcp http`; 0: any free port',
  ),
  httpAllowedHosts: setting(
    'SPEECH_HTTP_ALLOWED_HOSTS',
    hostNames.default([]),
    'Further names of `speech-mcp http`, such as `speech.example.com` of a proxy, and of web pages that may use it, such as `localhost:6274`; with SPEECH_TOKENS or SPEECH_OAUTH_ISSUER every name of the server is accepted',
  ),
  tokens: setting(
    'SPEECH_TOKENS',
    tokens.default([]),
    'Users of `speech-mcp http`, as `name:token,name:token`; each name sees only its own jobs and transcripts',
  ),
  oauthIssuer: setting(
    'SPEECH_OAUTH_ISSUER',
    issuer.optional(),
    'Identity provider whose tokens `speech-mcp http` accepts, exactly as it names itself; needs SPEECH_OAUTH_AUDIENCE',
  ),
  oauthAudiences: setting(
    'SPEECH_OAUTH_AUDIENCE',
    audiences.default([]),
    'Audience of these tokens, best the public address of the server, such as `https://speech.example.com/mcp`; several are separated by commas',
  ),
  oauthOwnerClaim: setting(
    'SPEECH_OAUTH_OWNER_CLAIM',
    claim,
    'Claim that says whose the transcripts are; callers with the same value share them',
  ),
  oauthClientId: setting(
    'SPEECH_OAUTH_CLIENT_ID',
    clientId.optional(),
    'Client of the identity provider as which people sign in at the home page; its redirect address is that of the server with `/signed-in`',
  ),
  oauthClientSecret: setting('SPEECH_OAUTH_CLIENT_SECRET', key, 'Secret of this client, if it has one'),
  logLevel: setting(
    'SPEECH_LOG',
    z
      .enum(logLevels as [LogLevel, ...LogLevel[]], { error: `one of ${logLevels.join(', ')}` })
      .default('warn'),
    'Log level: debug, info, warn, error or silent; the log is JSON lines on stderr, without speech, paths or keys',
  ),
} as const
