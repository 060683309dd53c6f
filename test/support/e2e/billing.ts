// Apps in a test about money: each run has an app of its own, and says what the provider billed for it.
import { afterAll, beforeAll } from 'vitest'
import { type DashscopeEmulator, startDashscope } from '../../../emulators/dashscope/dashscope.ts'
import { type App, createApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config/config.ts'
import type { JobTool, TranscriptionRequest } from '../../../src/domain/job.ts'
import type { Transcript } from '../../../src/domain/transcript.ts'
import { testFfmpeg } from '../audio/ffmpeg.ts'
import { bucketSettings, fixture, root, type TempFolder, tempFolder, truth, truthText } from './system.ts'

const signal = new AbortController().signal

/** Starts an emulator for the tests of a file. */
export function useBilling() {
  let dashscope: DashscopeEmulator
  let folder: TempFolder
  let runs = 0

  beforeAll(async () => {
    folder = await tempFolder()
    dashscope = await startDashscope({ ffmpeg: await testFfmpeg(), oss: true, goneModels: [] })
    await dashscope.warmUp()
  })
  afterAll(() => Promise.all([dashscope.close(), folder.remove()]))

  /** Runs the work in an app of its own; resolves with its result and what was billed for it. */
  async function billed<T>(settings: Record<string, string>, work: (app: App) => Promise<T>) {
    const before = dashscope.bill()
    const app = await createApp(
      readConfig({
        DASHSCOPE_BASE_URL: dashscope.url,
        DASHSCOPE_API_KEY: dashscope.apiKey,
        GEMINI_BASE_URL: dashscope.geminiUrl,
        GEMINI_API_KEY: dashscope.geminiKey,
        SPEECH_DATA_DIR: `${folder.path}/${runs++}`,
        SPEECH_ALLOWED_DIRS: `${root}:${folder.path}`,
        FFMPEG_PATH: await testFfmpeg(),
        SPEECH_POLL_SECONDS: '0.05',
        ...bucketSettings(dashscope),
        ...settings,
      }),
    )
    try {
      const result = await work(app)
      const { dollars, inputTokens, outputTokens } = dashscope.bill()
      return {
        result,
        dollars: dollars - before.dollars,
        inputTokens: inputTokens - before.inputTokens,
        outputTokens: outputTokens - before.outputTokens,
      }
    } finally {
      await app.close()
    }
  }

  return {
    billed,
    dashscope: () => dashscope,
    folder: () => folder.path,
    /** Numbers of all requests so far, by kind. */
    asked: () => [dashscope.requests.length, dashscope.taskCalls.length, dashscope.textRequests.length],
  }
}

/** Transcribes a fixture, or a recording by its path, or with more options; `transcribe_audio` with measured times. */
export function recognise(
  tool: JobTool,
  audio = fixture('jfk.wav'),
  more: Partial<TranscriptionRequest> = {},
) {
  return async ({ jobs }: App): Promise<Transcript> => {
    const timestamps = tool === 'transcribe_audio' ? ({ timestamps: 'segment' } as const) : {}
    const request = { audio, ...timestamps, ...more }
    return (await jobs.transcribe(request, { tool, owner: 'local', signal }, {})).transcript
  }
}

export const format = ({ jobs }: App) =>
  jobs.format({ text: truthText(truth('interview')), style: 'faithful' }, { owner: 'local', signal })
