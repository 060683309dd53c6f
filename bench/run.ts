// npm run bench: speech-mcp beside plain ffmpeg on the same file in the same run, as one table of figures and ratios.
// With `-- --against FOLDER` each figure is taken in turn from this build and from the one in FOLDER/dist.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { benchConcurrentClients } from './concurrent-clients.ts'
import { benchSearch } from './library/search.ts'
import { makeRecording, median, peakMemory, root, run, startProvider, startServer, timed } from './measure.ts'
import { type Figure, isMet, table } from './table.ts'
import { uploadOnce } from './upload.ts'

const repeats = 3
/** Shorter than any model's answer. */
const modelMs = 1_000
const hour = 3600

const { against } = parseArgs({ options: { against: { type: 'string' } } }).values
const builds = [root, ...(against === undefined ? [] : [resolve(against)])]
const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-bench-'))
const { path: ffmpeg, by } = await (await createApp(readConfig())).ffmpeg()
const provider = await startProvider()
const figures: Figure[] = []
let dataFolders = 0

function environment(): Record<string, string> {
  return {
    DASHSCOPE_BASE_URL: provider.url,
    DASHSCOPE_API_KEY: 'sk-bench',
    SPEECH_DATA_DIR: join(folder, `data-${dataFolders++}`),
    SPEECH_ALLOWED_DIRS: `${folder},${root}`,
    FFMPEG_PATH: ffmpeg,
  }
}

/** Takes a figure from each build in turn, `times` times; returns the figures of each build. */
async function inTurn<T>(times: number, measure: (build: string) => Promise<T>): Promise<T[][]> {
  const results: T[][] = builds.map(() => [])
  for (let i = 0; i < times; i++)
    for (const [b, build] of builds.entries()) results[b]!.push(await measure(build))
  return results
}

/** Adds a row; `values` holds one number a build. */
function add(what: string, values: (number | undefined)[], unit = '', limit?: number, digits = 0): void {
  figures.push({ what, values, unit, limit, digits })
  console.error(`${what}: ${values.map(value => value?.toFixed(digits) ?? 'unknown').join(' / ')} ${unit}`)
}

const medians = (results: number[][]) => results.map(median)

interface Call {
  seconds: number
  /** Seconds to the first request to the provider. */
  first: number
  /** Peak resident memory in MiB. */
  memory: number | undefined
}

/** One call of a fresh server. */
async function transcribeOnce(build: string, audio: string): Promise<Call> {
  const server = await startServer(environment(), build)
  try {
    provider.reset()
    const started = Date.now()
    const [seconds, result] = await timed(() => server.client.callTool(transcribe(audio), patient))
    if (result.isError) throw new Error(JSON.stringify(result.content))
    return {
      seconds,
      first: (Math.min(...provider.requests) - started) / 1000,
      memory: peakMemory(server.pid),
    }
  } finally {
    await server.close()
  }
}

const patient = { timeout: 600_000, onprogress: () => {}, resetTimeoutOnProgress: true }

function transcribe(audio: string) {
  return { name: 'transcribe_audio', arguments: { audio, wait_seconds: 240 } }
}

async function start(): Promise<void> {
  const times = await inTurn(9, async build => {
    const [seconds, server] = await timed(async () => {
      const server = await startServer(environment(), build)
      await server.client.listTools()
      return server
    })
    await server.close()
    return seconds * 1000
  })
  add('start to tools/list', medians(times), 'ms', 250)
}

async function voiceNote(): Promise<void> {
  const calls = await inTurn(1, async build => {
    const server = await startServer(environment(), build)
    // A client lists the tools, and then a model has to decide on the call.
    await server.client.listTools()
    await sleep(modelMs)
    const over: number[] = []
    for (let i = 0; i < 11; i++) {
      provider.reset()
      const [seconds] = await timed(() =>
        server.client.callTool({
          name: 'transcribe_audio',
          // The context makes each a request of its own; otherwise the first would answer them all.
          arguments: { audio: join(root, 'fixtures', 'voice-note.ogg'), context: `call ${i}` },
        }),
      )
      over.push(seconds * 1000 - provider.delays[0]!)
    }
    await server.close()
    return over
  })
  const first = calls.map(([over]) => over![0]!)
  add('voice note of 7 s, first call: over the provider’s time', first, 'ms')
  const later = calls.map(([over]) => median(over!.slice(1)))
  add('voice note of 7 s, over the provider’s time', later, 'ms', 150)
}

async function search(): Promise<void> {
  // Another build may not read what this one stores.
  const { p99, longest } = await benchSearch(environment())
  add('search in 20,000 transcripts, p99', [p99], 'ms', 100)
  add('event loop delay meanwhile, longest', [longest], 'ms', 50)
}

async function speed(file: string): Promise<void> {
  const plain: number[] = []
  const calls = await inTurn(repeats, async build => {
    if (build === root) {
      const target = join(folder, 'plain.mp3')
      const settings = ['-b:a', '32k', '-ar', '16000', '-ac', '1', target]
      plain.push((await timed(() => run(ffmpeg, ['-nostdin', '-y', '-i', file, ...settings])))[0])
    }
    return transcribeOnce(build, file)
  })
  const each = (figure: (call: Call) => number) => calls.map(of => median(of.map(figure)))
  add('1 h of MP3, plain ffmpeg', [median(plain)], 's', undefined, 1)
  add(
    '1 h of MP3, speech-mcp',
    each(call => call.seconds),
    's',
    undefined,
    1,
  )
  const ratios = calls.map(of => median(of.map((call, i) => call.seconds / plain[i]!)))
  add('ratio to plain ffmpeg', ratios, '', 0.6, 2)
  add(
    'first request after',
    each(call => call.first),
    's',
    1,
    2,
  )
}

/** A repeated request: the time to recognise it and to answer from the store. */
async function again(file: string): Promise<void> {
  const calls = await inTurn(1, async build => {
    const server = await startServer(environment(), build)
    try {
      await server.client.callTool(transcribe(file), patient)
      provider.reset()
      const times: number[] = []
      for (let i = 0; i < 5; i++)
        times.push((await timed(() => server.client.callTool(transcribe(file), patient)))[0] * 1000)
      return { milliseconds: median(times), requests: provider.requests.length }
    } finally {
      await server.close()
    }
  })
  add(
    '1 h again, the same request',
    calls.map(([call]) => call!.milliseconds),
    'ms',
    50,
  )
  add(
    'requests to the provider for it',
    calls.map(([call]) => call!.requests),
    '',
    0,
  )
}

async function upload(file: string): Promise<void> {
  const over: number[] = []
  for (let i = 0; i < repeats; i++) {
    const { encoded, uploaded } = await uploadOnce(file, ffmpeg)
    over.push(uploaded / encoded - 1)
  }
  add('1 h for speakers: upload ends after the encoder', [100 * median(over)], '%', 10, 1)
}

async function many(hourFile: string): Promise<void> {
  const results = (
    await inTurn(1, build => benchConcurrentClients(ffmpeg, folder, hourFile, environment(), build))
  ).map(([result]) => result!)
  add(
    '50 HTTP clients beside 1 h: failed or mixed up',
    results.map(result => result.wrong),
    '',
    0,
  )
  add(
    'event loop delay, p99',
    results.map(result => result.p99),
    'ms',
    50,
  )
  add(
    'event loop delay, longest',
    results.map(result => result.longest),
    'ms',
  )
  add(
    'a voice note beside them',
    results.map(result => result.noteSeconds),
    's',
    undefined,
    1,
  )
  add(
    'the hour beside them',
    results.map(result => result.hourSeconds),
    's',
    undefined,
    1,
  )
}

async function memory(label: string, file: string): Promise<void> {
  const calls = (await inTurn(1, build => transcribeOnce(build, file))).map(([call]) => call!)
  add(
    `${label}: seconds`,
    calls.map(call => call.seconds),
    's',
    undefined,
    1,
  )
  add(
    `${label}: peak memory`,
    calls.map(call => call.memory),
    'MB',
    150,
  )
}

try {
  const today = new Date().toISOString().slice(0, 10)
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0)
  const { node } = process.versions
  console.log(`${today}, ${cpus().length} cores, ${gigabytes} GB, Node ${node}, ffmpeg: ${by}`)
  const recording = async (seconds: number) => {
    const file = join(folder, `${seconds}.mp3`)
    if (!existsSync(file)) await makeRecording(ffmpeg, seconds, file)
    return file
  }
  await start()
  await voiceNote()
  await search()
  await speed(await recording(hour))
  await again(await recording(hour))
  await upload(await recording(hour))
  await many(await recording(hour))
  await memory('20 min', await recording(hour / 3))
  await memory('4 h', await recording(4 * hour))
  console.log(`\n${table(figures, against)}`)
  process.exitCode = figures.every(isMet) ? 0 : 1
} finally {
  provider.stop()
  await rm(folder, { recursive: true, force: true })
}
