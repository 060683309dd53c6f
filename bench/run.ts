// npm run bench: speech-mcp beside plain ffmpeg on the same file in the same run, as one table of figures and ratios.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { benchConcurrentClients } from './concurrent-clients.ts'
import { makeRecording, median, peakMemory, root, run, startProvider, startServer, timed } from './measure.ts'
import { benchSearch } from './search.ts'
import { uploadOnce } from './upload.ts'

const repeats = 3
const hour = 3600

interface Row {
  what: string
  value: string
  target: string
  met: boolean
}

const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-bench-'))
const { path: ffmpeg, by } = await (await createApp(readConfig())).ffmpeg()
const provider = await startProvider()
const rows: Row[] = []
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

/** One call of a fresh server: seconds, seconds to the first request, peak memory in MB. */
async function transcribeOnce(
  audio: string,
): Promise<{ took: number; first: number; memory: number | undefined }> {
  const server = await startServer(environment())
  try {
    provider.reset()
    const started = Date.now()
    const [took, result] = await timed(() =>
      server.client.callTool(
        { name: 'transcribe_audio', arguments: { audio, wait_seconds: 240 } },
        { timeout: 600_000, onprogress: () => {}, resetTimeoutOnProgress: true },
      ),
    )
    if (result.isError) throw new Error(JSON.stringify(result.content))
    return { took, first: (Math.min(...provider.requests) - started) / 1000, memory: peakMemory(server.pid) }
  } finally {
    await server.close()
  }
}

function addRow(what: string, value: string, target: string, met: boolean): void {
  rows.push({ what, value, target, met })
  console.error(`${what}: ${value}`)
}

async function speed(file: string): Promise<void> {
  const pairs: { plain: number; took: number; first: number; memory: number | undefined }[] = []
  for (let i = 0; i < repeats; i++) {
    const target = join(folder, 'plain.mp3')
    const plainArguments = ['-nostdin', '-y', '-i', file, '-b:a', '32k', '-ar', '16000', '-ac', '1', target]
    const [plain] = await timed(() => run(ffmpeg, plainArguments))
    pairs.push({ plain, ...(await transcribeOnce(file)) })
  }
  const ratios = pairs.map(({ took, plain }) => took / plain)
  const first = median(pairs.map(pair => pair.first))
  addRow('1 h of MP3, plain ffmpeg', `${median(pairs.map(pair => pair.plain)).toFixed(1)} s`, '', true)
  addRow('1 h of MP3, speech-mcp', `${median(pairs.map(pair => pair.took)).toFixed(1)} s`, '', true)
  addRow('ratio', median(ratios).toFixed(2), '≤ 0.60', median(ratios) <= 0.6)
  addRow('first request after', `${first.toFixed(2)} s`, '≤ 1 s', first <= 1)
}

async function memory(label: string, file: string): Promise<void> {
  const { took, memory: peak } = await transcribeOnce(file)
  if (peak === undefined) addRow(`${label}: peak memory`, 'unknown on this system', '≤ 150 MB', true)
  else
    addRow(
      `${label}: peak memory (took ${took.toFixed(1)} s)`,
      `${peak.toFixed(0)} MB`,
      '≤ 150 MB',
      peak <= 150,
    )
}

async function voiceNote(): Promise<void> {
  const server = await startServer(environment())
  const over: number[] = []
  for (let i = 0; i < 11; i++) {
    provider.reset()
    const [took] = await timed(() =>
      server.client.callTool({
        name: 'transcribe_audio',
        // The context makes each a request of its own; otherwise the first would answer them all.
        arguments: { audio: join(root, 'fixtures', 'voice-note.ogg'), context: `call ${i}` },
      }),
    )
    over.push(took * 1000 - provider.delays[0]!)
  }
  await server.close()
  const value = median(over.slice(1))
  addRow('voice note of 7 s, first call: over the provider’s time', `${over[0]!.toFixed(0)} ms`, '', true)
  addRow('voice note of 7 s, over the provider’s time', `${value.toFixed(0)} ms`, '≤ 150 ms', value <= 150)
}

/** A repeated request: the time to recognise it and to answer from the store. */
async function again(file: string): Promise<void> {
  const server = await startServer(environment())
  const call = () =>
    server.client.callTool(
      { name: 'transcribe_audio', arguments: { audio: file, wait_seconds: 240 } },
      { timeout: 600_000, onprogress: () => {}, resetTimeoutOnProgress: true },
    )
  try {
    await call()
    provider.reset()
    const times: number[] = []
    for (let i = 0; i < 5; i++) times.push((await timed(call))[0] * 1000)
    const value = median(times)
    addRow('1 h again, the same request', `${value.toFixed(0)} ms`, '≤ 50 ms', value <= 50)
    addRow(
      'requests to the provider for it',
      String(provider.requests.length),
      '0',
      provider.requests.length === 0,
    )
  } finally {
    await server.close()
  }
}

async function many(hourFile: string): Promise<void> {
  const {
    p99,
    longest,
    wrong,
    noteSeconds: each,
    hourSeconds: took,
  } = await benchConcurrentClients(ffmpeg, folder, hourFile, environment())
  addRow('50 HTTP clients beside 1 h: failed or mixed up', String(wrong), '0', wrong === 0)
  addRow('event loop delay, p99', `${p99.toFixed(0)} ms`, '< 50 ms', p99 < 50)
  addRow('event loop delay, longest', `${longest.toFixed(0)} ms`, '', true)
  addRow('a voice note beside them / the hour', `${each.toFixed(1)} / ${took.toFixed(1)} s`, '', true)
}

async function search(): Promise<void> {
  const { p99, longest } = await benchSearch(environment())
  addRow('search in 20,000 transcripts, p99', `${p99.toFixed(0)} ms`, '≤ 100 ms', p99 <= 100)
  addRow('event loop delay meanwhile, longest', `${longest.toFixed(0)} ms`, '≤ 50 ms', longest <= 50)
}

async function upload(file: string): Promise<void> {
  const over: number[] = []
  for (let i = 0; i < repeats; i++) {
    const { encoded, uploaded } = await uploadOnce(file, ffmpeg)
    over.push(uploaded / encoded - 1)
  }
  const value = 100 * median(over)
  addRow('1 h for speakers: upload ends after the encoder', `${value.toFixed(1)} %`, '≤ 10 %', value <= 10)
}

async function start(): Promise<void> {
  const times: number[] = []
  for (let i = 0; i < 9; i++) {
    const [took, server] = await timed(async () => {
      const server = await startServer(environment())
      await server.client.listTools()
      return server
    })
    times.push(took * 1000)
    await server.close()
  }
  addRow('start to tools/list', `${median(times).toFixed(0)} ms`, '≤ 250 ms', median(times) <= 250)
}

try {
  const version = process.versions.node
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GB, Node ${version}, ffmpeg: ${by}`,
  )
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

  const wide = Math.max(...rows.map(row => row.what.length))
  console.log(`\n| ${'what'.padEnd(wide)} | measured   | target   |     |`)
  console.log(`|${'-'.repeat(wide + 2)}|------------|----------|-----|`)
  for (const { what, value, target, met } of rows)
    console.log(
      `| ${what.padEnd(wide)} | ${value.padEnd(10)} | ${target.padEnd(8)} | ${target ? (met ? 'met' : 'NO ') : '   '} |`,
    )
  process.exitCode = rows.every(row => row.met) ? 0 : 1
} finally {
  provider.stop()
  await rm(folder, { recursive: true, force: true })
}
