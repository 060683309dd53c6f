// speech-mcp doctor: checks all that a transcription needs, and says what to do about what is missing.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { access, constants, mkdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { type App, createApp } from '../../app.ts'
import { type Config, unfilledTemplates } from '../../config/config.ts'
import { describeError, SpeechError } from '../../domain/errors.ts'
import { localOwner } from '../../domain/job.ts'
import type { ObjectStorage, Upload } from '../../domain/ports.ts'
import type { Command } from '../command.ts'
import { checkFormatting, type Finding } from './formatting.ts'
import { checkQueue, checkStore } from './team.ts'

const run = promisify(execFile)
const patience = 10_000

type Check = [name: string, look: () => Promise<string | Finding>]

export const doctor: Command = {
  usage: 'speech-mcp doctor',
  help: 'Check ffmpeg, keys, bucket, clock, models and folders; make the tables and queues that machines share.',
  async run({ config, version }) {
    const app = createApp(config)
    const { setUpStore, setUpQueue } = app
    let isKeyGood = true
    let isBucketGood = true
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
          checkUploads(app.blobs, config).catch(error => {
            isBucketGood = false
            throw error
          }),
      ],
      ...(setUpStore ? [['store', () => checkStore(setUpStore, config)] satisfies Check] : []),
      ...(setUpQueue ? [['queue', () => checkQueue(setUpQueue, config, isBucketGood)] satisfies Check] : []),
      ['formatting', () => checkModels(app, config, isKeyGood)],
      ['data folder', () => checkDataDir(app, config)],
      ['allowed folders', () => checkAllowedDirs(config)],
      ['settings', () => checkTemplates()],
    ]
    let failed = false
    process.stdout.write(`speech-mcp ${version}, Node ${process.versions.node}, ${process.platform}\n`)
    for (const [name, check] of checks) {
      const result = await check().then(
        found =>
          typeof found === 'string'
            ? `ok    ${name}: ${found}`
            : `${found.isOn ? 'ok' : '--'}    ${name}: ${found.text}`,
        error => {
          failed = true
          return `FAIL  ${name}: ${describeError(error)}`
        },
      )
      process.stdout.write(`${result}\n`)
    }
    await app.close()
    return failed ? 1 : 0
  },
}

async function checkFfmpeg(app: App): Promise<string> {
  const { path, by } = await app.ffmpeg()
  const ask = (flag: string) => run(path, ['-hide_banner', flag], { timeout: patience, maxBuffer: 4e6 })
  const broken = (cause: unknown) => {
    throw new SpeechError('FFMPEG_FAILED', `The ffmpeg at ${path} does not run.`, {
      hint: 'Set FFMPEG_PATH to a working one, or unset it.',
      cause,
    })
  }
  const [version, encoders] = await Promise.all([
    ask('-version').catch(broken),
    ask('-encoders').catch(broken),
  ])
  if (!encoders.stdout.includes('libmp3lame'))
    throw new SpeechError('FFMPEG_FAILED', `The ffmpeg at ${path} has no MP3 encoder (libmp3lame).`, {
      hint: 'Install a full build, or `npm install ffmpeg-static`.',
    })
  const number = /^ffmpeg version (\S+)/.exec(version.stdout)?.[1] ?? 'unknown version'
  return `${number}, ${path} (${by})`
}

/** A look-up of a task that does not exist costs nothing, and the key is checked before the path. */
async function checkKey(app: App, { baseUrl }: Config): Promise<string> {
  await app.cloud
    .call({ method: 'GET', path: `tasks/${randomUUID()}` }, AbortSignal.timeout(patience))
    .catch(tooSlow(baseUrl, 'DASHSCOPE_BASE_URL'))
  return `accepted by ${new URL(baseUrl).host}`
}

function checkModels(app: App, config: Config, isKeyGood: boolean): Promise<Finding> {
  const signal = AbortSignal.timeout(patience)
  return checkFormatting(app, config, isKeyGood, signal).catch(tooSlow(config.geminiUrl, 'GEMINI_BASE_URL'))
}

function tooSlow(address: string, setting: string): (error: unknown) => never {
  return error => {
    if ((error as Error).name !== 'TimeoutError') throw error
    throw new SpeechError('PROVIDER_TIMEOUT', `${new URL(address).host} did not answer within ten seconds.`, {
      hint: `Check the network, a proxy or firewall, and ${setting}.`,
    })
  }
}

/** Does with a few bytes what is done with a recording: stores, signs, fetches, lists and removes them. */
export async function checkUploads(
  blobs: ObjectStorage,
  { ossBucket, ossEndpoint }: Pick<Config, 'ossBucket' | 'ossEndpoint'>,
): Promise<string> {
  if (blobs.way === 'temporary')
    return 'temporary store of DashScope, emptied after two days; OSS_BUCKET would name a bucket of yours'
  const signal = AbortSignal.timeout(3 * patience)
  // A bucket takes it as it comes, and needs no room on the disk.
  const scratch = async () => tmpdir()
  const of = { owner: localOwner, job: `doctor-${randomUUID()}`, models: ['doctor'], scratch }
  try {
    const upload = await blobs.upload(probe(), of, signal)
    const clock = await fetchProbe(blobs, upload, signal).finally(() => blobs.delete(upload, signal))
    await blobs.sweep(async () => true, signal)
    return `bucket ${ossBucket} at ${ossEndpoint} stores, signs, lists and removes; ${clock}`
  } catch (error) {
    if ((error as Error).name !== 'TimeoutError') throw error
    throw new SpeechError('UPLOAD_FAILED', `${ossEndpoint} did not answer in time.`, {
      hint: 'Check the network, a proxy or firewall, and OSS_ENDPOINT.',
    })
  }
}

async function* probe() {
  yield Buffer.from('speech-mcp doctor')
}

/** Resolves with what there is to say of this machine's clock, beside that of the bucket. */
async function fetchProbe(blobs: ObjectStorage, upload: Upload, signal: AbortSignal): Promise<string> {
  const address = await blobs.signedUrl(upload, 'doctor', 60, signal)
  const response = await fetch(address, { signal }).catch(cause => {
    signal.throwIfAborted()
    throw new SpeechError('UPLOAD_UNREACHABLE', 'The signed address of an upload cannot be reached.', {
      hint: 'Check OSS_ENDPOINT, and the network from here to the public endpoint of the bucket.',
      cause,
    })
  })
  const text = await response.text()
  // A clock that is off is also why an address has ended before it began.
  const clock = clockText((Date.now() - Date.parse(response.headers.get('date') ?? '')) / 1000)
  if (response.status !== 200 || text !== 'speech-mcp doctor')
    throw new SpeechError(
      'UPLOAD_UNREACHABLE',
      `The signed address of an upload is not readable (${response.status}).`,
      { hint: 'Allow the key oss:GetObject, and look for a policy of the bucket that keeps others out.' },
    )
  return clock
}

/** A quarter of an hour is what OSS puts up with; half of it is too near to that. */
function clockText(skew: number): string {
  // An answer without a date is of something on the way.
  if (Number.isNaN(skew)) return 'nothing said what time it is there'
  const size = Math.round(Math.abs(skew))
  if (size > 450)
    throw new SpeechError('CLOCK_WRONG', `The clock of this machine is ${size} seconds off.`, {
      hint: 'Set it by network time: from 15 minutes on the bucket refuses everything.',
    })
  return size <= 5 ? 'the clock is right' : `the clock is ${size} seconds off`
}

async function checkDataDir(app: App, { dataDir }: Config): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
    .then(() => access(dataDir, constants.W_OK))
    .catch(cause => {
      throw new SpeechError('STORE_FAILED', `${dataDir} cannot be written.`, {
        hint: 'Correct its permissions, or set SPEECH_DATA_DIR to another folder.',
        cause,
      })
    })
  // Where machines share a store, the folder has only what a job has to put down for a while.
  if (app.setUpStore) return dataDir
  const { transcripts } = await app.jobs.list(localOwner, { limit: 1 })
  const notice = app.storeWarning()
  if (notice)
    throw new SpeechError('STORE_DAMAGED', notice, {
      hint: 'A new file was begun; `sqlite3 FILE .recover` may save what is in the old one.',
    })
  return `${dataDir}${transcripts[0] ? `, newest transcript of ${transcripts[0].createdAt.slice(0, 10)}` : ', no transcripts yet'}`
}

async function checkAllowedDirs({ allowedDirs }: Config): Promise<string> {
  for (const folder of allowedDirs) {
    const found = await stat(folder).catch(() => undefined)
    if (!found?.isDirectory())
      throw new SpeechError('CONFIG_INVALID', `${folder} is not a folder.`, {
        hint: 'Correct SPEECH_ALLOWED_DIRS.',
      })
  }
  return allowedDirs.join(', ')
}

async function checkTemplates(): Promise<string> {
  const names = unfilledTemplates()
  if (names.length === 0) return 'read'
  throw new SpeechError(
    'CONFIG_INVALID',
    `${names.join(', ')} came as an unfilled template and count as unset.`,
    {
      hint: 'Fill them in where your client keeps its settings.',
    },
  )
}
