// speech-mcp demo: a stand-in cloud, this server and a real MCP client do the main jobs on recordings of ours.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startCloud } from '../emulators/cloud.ts'
import { type DashscopeEmulator, startDashscope } from '../emulators/dashscope/dashscope.ts'
import { createApp } from '../src/app.ts'
import type { Command } from '../src/cli/command.ts'
import { SpeechError } from '../src/domain/errors.ts'
import { showCluster } from './cluster.ts'
import { stayUp } from './serve.ts'
import { show } from './show.ts'

export const demo: Command = {
  usage: 'speech-mcp demo',
  help: 'Watch a real MCP client transcribe recordings, without a key or a network.',
  switches: {
    serve: { help: 'Serve the stand-in over HTTP until Ctrl-C, for the MCP Inspector' },
    cluster: { help: 'Have two servers and three workers do the main job, and kill one of them over it' },
  },
  async run({ config, switches, version, entry }) {
    // The package has the recordings beside the folder of its entry file, built or not.
    const fixtures = join(dirname(dirname(entry)), 'fixtures')
    if (switches.has('serve') && switches.has('cluster'))
      throw new SpeechError('BAD_INPUT', 'The demo takes one of --serve and --cluster.', {
        hint: 'Start it once for each.',
      })
    const ffmpeg = await (await createApp(config)).ffmpeg()
    const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-demo-'))
    if (switches.has('cluster')) return await runCluster({ entry, fixtures, folder, version }, ffmpeg.path)
    const standin = await startDashscope({
      ffmpeg: ffmpeg.path,
      fixtures,
      latency: { base: 0.3, perSecond: 0.004 },
      taskLatency: { base: 0.3, perSecond: 0.01 },
      textLatency: { base: 0.2, perWord: 0.002 },
      oss: true,
    })
    const env = {
      DASHSCOPE_BASE_URL: standin.url,
      DASHSCOPE_API_KEY: standin.apiKey,
      GEMINI_BASE_URL: standin.geminiUrl,
      GEMINI_API_KEY: standin.geminiKey,
      ...bucketOf(standin),
      SPEECH_POLL_SECONDS: '0.3',
      SPEECH_DATA_DIR: folder,
      SPEECH_ALLOWED_DIRS: fixtures,
      FFMPEG_PATH: ffmpeg.path,
      // That a model is gone is told below in words.
    }
    try {
      say(`A stand-in for DashScope listens on ${standin.url}; it knows only the recordings in fixtures/.`)
      await standin.warmUp()
      if (!switches.has('serve')) return await show({ entry, env, fixtures, version, say })
      return await stayUp({ entry, fixtures, say, env: { ...env, SPEECH_HTTP_PORT: `${config.httpPort}` } })
    } finally {
      await standin.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

/** A chunk takes two seconds, one after the other: there is time to see it, and to kill a worker over it. */
async function runCluster(
  { entry, fixtures, folder, version }: { entry: string; fixtures: string; folder: string; version: string },
  ffmpeg: string,
): Promise<number> {
  const cloud = await startCloud({ ffmpeg, fixtures, latency: { base: 2, perSecond: 0.004 } })
  const env = {
    SPEECH_CONCURRENCY: '1',
    SPEECH_WAIT_SECONDS: '240',
    SPEECH_ALLOWED_DIRS: fixtures,
    FFMPEG_PATH: ffmpeg,
  }
  try {
    await cloud.dashscope.warmUp()
    return await showCluster({ entry, env, fixtures, folder, cloud, version, say })
  } finally {
    await cloud.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function bucketOf({ oss }: DashscopeEmulator): Record<string, string> {
  if (!oss) return {}
  return {
    OSS_ENDPOINT: oss.endpoint,
    OSS_REGION: oss.region,
    OSS_BUCKET: oss.bucket,
    OSS_ACCESS_KEY_ID: oss.accessKeyId,
    OSS_ACCESS_KEY_SECRET: oss.accessKeySecret,
  }
}

function say(line: string): void {
  // Where a progress bar stands at the moment.
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  process.stdout.write(`${line}\n`)
}
