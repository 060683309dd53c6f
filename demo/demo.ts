// speech-mcp demo: a real MCP client uses this server on the fixture recordings, with a local DashScope emulator.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCloud } from '../emulators/cloud.ts'
import { type DashscopeEmulator, startDashscope } from '../emulators/dashscope/dashscope.ts'
import { createApp } from '../src/app.ts'
import type { Command } from '../src/cli/command.ts'
import { SpeechError } from '../src/domain/errors.ts'
import { runClusterDemo } from './cluster.ts'
import { findRecordings } from './recordings.ts'
import { serveDemo } from './serve.ts'
import { runDemo } from './show.ts'

export const demo: Command = {
  usage: 'speech-mcp demo',
  help: 'Watch a real MCP client transcribe recordings, without a key or a network.',
  examples: [
    ['demo', 'Takes ten seconds, and costs nothing.'],
    ['demo --serve', 'Keeps a server up for MCP Inspector.'],
  ],
  switches: {
    serve: { help: 'Serve the emulator over HTTP until Ctrl-C, for the MCP Inspector' },
    cluster: { help: 'Run two servers and three workers, and kill a worker during its job' },
  },
  async run({ config, switches, version, entry }) {
    const recordings = findRecordings(entry)
    const fixtures = recordings.folder
    if (switches.has('serve') && switches.has('cluster'))
      throw new SpeechError('BAD_INPUT', 'The demo accepts either --serve or --cluster.', {
        hint: 'Run it once for each.',
      })
    if (switches.has('cluster') && !recordings.isClone)
      throw new SpeechError(
        'BAD_INPUT',
        'demo --cluster needs a longer recording than the package contains.',
        {
          hint: 'Run it in a clone of the repository: npm ci && npm run demo -- --cluster',
        },
      )
    const ffmpeg = await (await createApp(config)).ffmpeg()
    const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-demo-'))
    if (switches.has('cluster')) return await runCluster({ entry, fixtures, folder, version }, ffmpeg.path)
    const dashscope = await startDashscope({
      ffmpeg: ffmpeg.path,
      fixtures,
      // A client that has a key already can be tried as it is.
      otherKey: config.apiKey,
      latency: { base: 0.3, perSecond: 0.004 },
      taskLatency: { base: 0.3, perSecond: 0.01 },
      textLatency: { base: 0.2, perWord: 0.002 },
      oss: true,
    })
    const env = {
      DASHSCOPE_BASE_URL: dashscope.url,
      DASHSCOPE_API_KEY: dashscope.apiKey,
      GEMINI_BASE_URL: dashscope.geminiUrl,
      GEMINI_API_KEY: dashscope.geminiKey,
      ...bucketOf(dashscope),
      SPEECH_POLL_SECONDS: '0.3',
      SPEECH_DATA_DIR: folder,
      SPEECH_ALLOWED_DIRS: fixtures,
      FFMPEG_PATH: ffmpeg.path,
    }
    try {
      print(
        `A local DashScope emulator listens on ${dashscope.url}; it knows only the recordings in ${fixtures}.`,
      )
      await dashscope.warmUp()
      if (!switches.has('serve')) return await runDemo({ entry, env, fixtures, recordings, version, print })
      return await serveDemo({
        entry,
        recordings,
        print,
        env: { ...env, SPEECH_HTTP_PORT: `${config.httpPort}` },
      })
    } finally {
      await dashscope.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

/** The chunks go one after another, so that a worker can be killed between two of them. */
async function runCluster(
  { entry, fixtures, folder, version }: { entry: string; fixtures: string; folder: string; version: string },
  ffmpeg: string,
): Promise<number> {
  const cloud = await startCloud({ ffmpeg, fixtures, latency: { base: 1, perSecond: 0.004 } })
  const env = {
    SPEECH_CONCURRENCY: '1',
    SPEECH_WAIT_SECONDS: '240',
    SPEECH_ALLOWED_DIRS: fixtures,
    FFMPEG_PATH: ffmpeg,
  }
  try {
    await cloud.dashscope.warmUp()
    return await runClusterDemo({ entry, env, fixtures, folder, cloud, version, print })
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

function print(line: string): void {
  // Clears the progress bar.
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  process.stdout.write(`${line}\n`)
}
