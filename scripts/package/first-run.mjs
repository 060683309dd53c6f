// The installed program at its first use: without ffmpeg, and in the demo, which has an emulated cloud and a recording.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

const timeout = 120_000

function run(entry, args, env) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
    env,
    encoding: 'utf8',
    timeout,
  })
  return { status, stdout, stderr }
}

/** True if it was tried: a system whose own ffmpeg is in a usual folder finds that. */
export function tryWithoutFfmpeg(installed, { home }) {
  const entry = join(installed, 'dist', 'main.js')
  const recording = join(installed, 'demo', 'recordings', 'jfk.ogg')
  const env = { HOME: home, USERPROFILE: home, PATH: '', SPEECH_DATA_DIR: join(home, 'data') }
  const { stdout } = run(entry, ['doctor'], env)
  if (!/FFMPEG_MISSING/.test(stdout)) return false
  const { status, stderr } = run(entry, ['transcribe', recording], { ...env, DASHSCOPE_API_KEY: 'sk-none' })
  if (status === 0 || !/^FFMPEG_MISSING: No ffmpeg was found\. .*ffmpeg.* or set FFMPEG_PATH/.test(stderr))
    throw new Error(`Without ffmpeg the program says: ${stderr}`)
  return true
}

/** Transcribes, tells speakers apart by an upload, and formats: with undici, ali-oss and the client of the package. */
export function tryDemo(installed, ffmpeg, { home }) {
  const env = { HOME: home, USERPROFILE: home, PATH: '', FFMPEG_PATH: ffmpeg }
  // Node's temporary folder on Windows.
  for (const name of ['SystemRoot', 'TEMP', 'TMP']) if (process.env[name]) env[name] = process.env[name]
  const { status, stdout, stderr } = run(join(installed, 'dist', 'main.js'), ['demo'], env)
  for (const expected of [/ask not what your country/i, /Viktor: A quick note first/, /complete workflow/])
    if (status !== 0 || !expected.test(stdout)) throw new Error(`The demo failed: ${stderr}\n${stdout}`)
}

/** Real results of the tools, and the JSON output, by the names of their types. */
export async function collectResults(installed, ffmpeg, { home }) {
  const entry = join(installed, 'dist', 'main.js')
  const env = { ...process.env, HOME: home, USERPROFILE: home, FFMPEG_PATH: ffmpeg, SPEECH_HTTP_PORT: '0' }
  const server = spawn(process.execPath, [entry, 'demo', '--serve'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const timer = setTimeout(() => server.kill(), timeout)
  const client = new Client({ name: 'package', version: '1' })
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(await addressOf(server))))
    const call = async (name, args) => {
      const result = await client.callTool({ name, arguments: args }, { timeout })
      if (result.isError) throw new Error(`${name} failed: ${JSON.stringify(result.content)}`)
      return result.structuredContent
    }
    const recording = name => join(installed, 'demo', 'recordings', name)
    const read = await call('transcribe_audio', { audio: recording('jfk.ogg') })
    const spoken = await call('diarize_audio', { audio: recording('meeting.ogg') })
    const formatted = await call('format_text', { transcript_id: spoken.transcript_id })
    const text = await call('format_text', { text: read.text.toLowerCase(), style: 'clean' })
    const found = await call('search_transcripts', { query: 'country' })
    const { contents } = await client.readResource({ uri: `transcript://${spoken.transcript_id}/json` })
    const folder = { audio: join(installed, 'demo', 'recordings'), language: 'en' }
    const plan = await call('transcribe_audio', folder)
    const batch = await call('transcribe_audio', { ...folder, confirm_usd: plan.max_usd })
    const recordings = await call('find_recordings', {})
    const speakers = [{ speaker: 'S1', name: 'Hannah' }]
    const named = await call('update_transcript', { transcript_id: spoken.transcript_id, speakers })
    const deleted = await call('delete_transcript', { transcript_id: read.transcript_id })
    return {
      ...{ RecordingsResult: [recordings], UpdateResult: [named], DeleteResult: [deleted] },
      ...{ BatchPlanResult: [plan], BatchResult: [batch] },
      TranscriptResult: [read, spoken, formatted],
      FormatTextResult: [text],
      SearchResult: [found],
      TranscriptJson: [JSON.parse(contents[0].text)],
    }
  } finally {
    clearTimeout(timer)
    await client.close()
    await stop(server)
  }
}

/** With the HTTP server that the demo has started: on Windows a signal reaches the demo alone. */
async function stop(server) {
  if (server.exitCode !== null) return
  const ended = once(server, 'exit')
  if (process.platform === 'win32') spawnSync('taskkill', ['/pid', `${server.pid}`, '/t', '/f'])
  else server.kill()
  await ended
}

async function addressOf(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const address = /The server is at (http\S+)\. /.exec(line)?.[1]
    if (address) return address
  }
  throw new Error('The demo ended before its server was up.')
}
