// speech-mcp doctor: checks everything that a transcription needs, and says how to fix what is missing.
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { type App, createApp } from '../../app.ts'
import { type Config, unfilledTemplates } from '../../config/config.ts'
import { codeOf, describeError, type ErrorCode, SpeechError } from '../../domain/errors.ts'
import { localOwner } from '../../domain/job.ts'
import { deadlines } from '../../domain/network/deadlines.ts'
import type { Upload } from '../../domain/ports.ts'
import { withoutControls } from '../../domain/text.ts'
import { readProgram } from '../../system/child-process.ts'
import type { Command } from '../command.ts'
import { type Costs, describeCosts, readCosts } from './costs.ts'
import { checkAllowedDirs, checkDataDir } from './folders.ts'
import { checkFormatting, type Finding } from './formatting.ts'
import { checkLogin } from './login.ts'
import { askModels, describeModels, hourCosts, modelsAsJson, modelTable } from './models.ts'
import { checkOwnEngine } from './own-engine.ts'
import { describeProxies } from './proxy.ts'
import { checkQueue, checkStore } from './team.ts'

const timeoutMs = deadlines.doctorCheck.totalSeconds * 1000
const maxClockSkewSeconds = 450

type Check = [name: string, run: () => Promise<string | Finding>]

export const doctor: Command = {
  usage: 'speech-mcp doctor',
  help: 'Check ffmpeg, keys, bucket, login, clock, models and folders; create shared tables and queues.',
  examples: [['doctor', 'Checks all, and asks each model once, for less than $0.001 in all.']],
  switches: { json: { help: 'print the findings as JSON' } },
  async run({ config, version, switches }) {
    const app = await createApp(config)
    const { setUpStore, setUpQueue } = app
    const { oauthIssuer } = config
    let isKeyGood = true
    let isBucketGood = true
    let spent: Costs | undefined
    const checks: Check[] = [
      ['ffmpeg', () => checkFfmpeg(app)],
      [
        'key and region',
        () =>
          checkKey(app, config).catch(error => {
            isKeyGood = false
            throw error
          }),
      ],
      [
        'uploads',
        () =>
          checkUploads(app, config).catch(error => {
            isBucketGood = false
            throw error
          }),
      ],
      ...(setUpStore ? [['store', () => checkStore(setUpStore, config)] satisfies Check] : []),
      ...(setUpQueue ? [['queue', () => checkQueue(setUpQueue, config, isBucketGood)] satisfies Check] : []),
      ...app.engines.map((engine): Check => [engineCheck(engine.model), () => checkOwnEngine(engine, app)]),
      ['formatting', () => checkModels(app, config, isKeyGood)],
      ...(oauthIssuer
        ? [
            [
              'login',
              () => checkLogin(oauthIssuer, app, config).catch(timeoutAs(oauthIssuer, 'SPEECH_OAUTH_ISSUER')),
            ] satisfies Check,
          ]
        : []),
      ['proxy', async () => describeProxies(config, app)],
      ['data folder', () => checkDataDir(app, config)],
      [
        'costs',
        async () => {
          spent = await readCosts(app, config)
          return describeCosts(spent)
        },
      ],
      ['allowed folders', () => checkAllowedDirs(config)],
      ['settings', () => checkTemplates()],
    ]
    const isJson = switches.has('json')
    const print = (text: string) => void (isJson || process.stdout.write(withoutControls(text)))
    const findings: CheckResult[] = []
    const report = async (name: string, check: () => Promise<string | Finding>) => {
      const found = await resultOf(name, check)
      findings.push(found)
      print(`${marks[found.status]}  ${name}: ${found.text}\n`)
    }
    print(`speech-mcp ${version}, Node ${process.versions.node}, ${process.platform}\n`)
    for (const [name, check] of checks) await report(name, check)
    const engineError = (model: string) => findings.find(({ name }) => name === engineCheck(model))?.code
    const models = await askModels(app, isKeyGood, engineError)
    const costs = hourCosts(models, config)
    await report('models', async () => describeModels(models))
    print(`\n${modelTable(models, costs)}`)
    await app.close()
    const hasFailed = findings.some(({ status }) => status === 'failed')
    const all = { version, ok: !hasFailed, checks: findings, spent, ...modelsAsJson(models, costs) }
    if (isJson) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`)
    return hasFailed ? 1 : 0
  },
}

interface CheckResult {
  name: string
  status: 'ok' | 'off' | 'failed'
  text: string
  /** Of the error of a check that failed. */
  code?: ErrorCode
}

const engineCheck = (model: string) => `your own engine ${model}`

const marks: Record<CheckResult['status'], string> = { ok: 'ok  ', off: '--  ', failed: 'FAIL' }

async function resultOf(name: string, check: () => Promise<string | Finding>): Promise<CheckResult> {
  try {
    const found = await check()
    if (typeof found === 'string') return { name, status: 'ok', text: found }
    return { name, status: found.isOn ? 'ok' : 'off', text: found.text }
  } catch (error) {
    return { name, status: 'failed', text: describeError(error), code: codeOf(error) }
  }
}

async function checkFfmpeg(app: App): Promise<string> {
  const { path, by } = await app.ffmpeg()
  const ask = (flag: string) => readProgram(path, ['-hide_banner', flag], timeoutMs)
  const [version, encoders] = await Promise.all([ask('-version'), ask('-encoders')]).catch(cause => {
    throw new SpeechError('FFMPEG_FAILED', `The ffmpeg at ${path} does not run.`, {
      hint: 'Set FFMPEG_PATH to a working one, or unset it.',
      cause,
    })
  })
  if (!encoders.includes('libmp3lame'))
    throw new SpeechError('FFMPEG_FAILED', `The ffmpeg at ${path} has no MP3 encoder (libmp3lame).`, {
      hint: 'Install a full build, or `npm install ffmpeg-static`.',
    })
  const number = /^ffmpeg version (\S+)/.exec(version.toString())?.[1] ?? 'unknown version'
  return `${number}, ${path} (${by})`
}

/** Looks up a task that does not exist: free of charge, and the provider checks the key before the path. */
async function checkKey(app: App, { apiKey, baseUrl, ownDashscope }: Config): Promise<string | Finding> {
  if (!apiKey && !ownDashscope && app.engines.length > 0)
    return {
      isOn: false,
      text: 'no DASHSCOPE_API_KEY, so speakers cannot be told; for the text see your own engine',
    }
  await app.cloud
    .call(
      { method: 'GET', path: `tasks/${randomUUID()}`, deadline: deadlines.task },
      AbortSignal.timeout(timeoutMs),
    )
    .catch(error => {
      const { code } = ((error as Error).cause ?? {}) as { code?: string }
      if (!ownDashscope || code !== 'UNKNOWN_TASK') throw error
    })
    .catch(timeoutAs(baseUrl, 'DASHSCOPE_BASE_URL'))
  const { host } = new URL(baseUrl)
  return ownDashscope ? `your own server at ${host} answers` : `accepted by ${host}`
}

function checkModels(app: App, config: Config, isKeyGood: boolean): Promise<Finding> {
  const signal = AbortSignal.timeout(timeoutMs)
  return checkFormatting(app, config, isKeyGood, signal).catch(timeoutAs(config.geminiUrl, 'GEMINI_BASE_URL'))
}

function timeoutAs(address: string, setting: string): (error: unknown) => never {
  return error => {
    if ((error as Error).name !== 'TimeoutError') throw error
    throw new SpeechError(
      'PROVIDER_TIMEOUT',
      `${new URL(address).host} did not respond within ten seconds.`,
      {
        hint: `Check the network, a proxy or firewall, and ${setting}.`,
      },
    )
  }
}

/** Tests object storage with a few bytes: uploads, signs, downloads, lists and deletes them. */
export async function checkUploads(
  { objectStorage: storage, fetchText }: Pick<App, 'objectStorage' | 'fetchText'>,
  { ossBucket, ossEndpoint }: Pick<Config, 'ossBucket' | 'ossEndpoint'>,
): Promise<string> {
  if (storage.way === 'served')
    return 'served by this process to your own server; nothing leaves this network'
  if (storage.way === 'temporary')
    return 'DashScope’s temporary storage, deleted after 48 hours; set OSS_BUCKET to use your own bucket'
  const signal = AbortSignal.timeout(deadlines.doctorSlow.totalSeconds * 1000)
  // Uploads to a bucket are streamed and need no scratch space.
  const scratch = async () => tmpdir()
  const of = { owner: localOwner, job: `doctor-${randomUUID()}`, models: ['doctor'], scratch }
  /** Downloads the probe; resolves with a comparison of this machine's clock with the bucket's. */
  async function fetchProbe(upload: Upload): Promise<string> {
    const url = await storage.signedUrl(upload, 'doctor', 60, signal)
    const request = { url, signal, deadline: deadlines.task }
    const { status, text, serverTime } = await fetchText(request).catch(cause => {
      signal.throwIfAborted()
      throw new SpeechError('UPLOAD_UNREACHABLE', 'The signed URL of an upload cannot be reached.', {
        hint: 'Check OSS_ENDPOINT, and the network to the public endpoint of the bucket.',
        cause,
      })
    })
    // The clock comes first, because a wrong clock also makes signed URLs invalid.
    const clock = describeClock((Date.now() - Date.parse(serverTime ?? '')) / 1000)
    if (status === 200 && text === 'speech-mcp doctor') return clock
    throw new SpeechError('UPLOAD_UNREACHABLE', `The signed URL of an upload is not readable (${status}).`, {
      hint: 'Grant the key oss:GetObject, and check the bucket policy for rules that deny access.',
    })
  }

  try {
    const upload = await storage.upload(probe(), of, signal)
    const clock = await fetchProbe(upload).finally(() => storage.delete(upload, signal))
    await storage.sweep(async () => true, signal)
    return `bucket ${ossBucket} at ${ossEndpoint}: upload, signed URL, list and delete work; ${clock}`
  } catch (error) {
    if ((error as Error).name !== 'TimeoutError') throw error
    throw new SpeechError('UPLOAD_FAILED', `${ossEndpoint} did not respond in time.`, {
      hint: 'Check the network, a proxy or firewall, and OSS_ENDPOINT.',
    })
  }
}

async function* probe() {
  yield Buffer.from('speech-mcp doctor')
}

/** OSS tolerates 15 minutes; more than half of that is an error. `skew` is in seconds. */
function describeClock(skew: number): string {
  // A response without a date comes from a proxy.
  if (Number.isNaN(skew)) return 'the bucket did not send its time'
  const size = Math.round(Math.abs(skew))
  if (size > maxClockSkewSeconds)
    throw new SpeechError('CLOCK_WRONG', `The clock of this machine is ${size} seconds off.`, {
      hint: 'Set it by network time: the bucket rejects all requests at 15 minutes.',
    })
  return size <= 5 ? 'the clock is correct' : `the clock is ${size} seconds off`
}

async function checkTemplates(): Promise<string> {
  const names = unfilledTemplates()
  if (names.length === 0) return 'valid'
  throw new SpeechError(
    'CONFIG_INVALID',
    `These variables contain unfilled templates and count as unset: ${names.join(', ')}.`,
    { hint: 'Fill them in in your client’s configuration.' },
  )
}
