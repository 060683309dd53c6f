// Passes over one upload: timeouts, limits and a decoder that is killed; their checkpoints and clean-up.

import { readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import pLimit from 'p-limit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DashscopeEmulator, startDashscope } from '../../../../emulators/dashscope/dashscope.ts'
import { knownModels } from '../../../../src/domain/models/catalog.ts'
import type { FileRecogniser } from '../../../../src/domain/ports.ts'
import type { Run } from '../../../../src/domain/run.ts'
import { fileRecognisers } from '../../../../src/drivers/asr/file-asr/recognisers.ts'
import { dashscope } from '../../../../src/drivers/http/dashscope.ts'
import { createHttpClient } from '../../../../src/drivers/http/http.ts'
import { ossStorage } from '../../../../src/drivers/object-storage/oss/oss.ts'
import { sqliteStore } from '../../../../src/drivers/store/sqlite/sqlite.ts'
import { createCheckpoints } from '../../../../src/jobs/records/checkpoints.ts'
import type { LocateFfmpeg } from '../../../../src/pipeline/audio/ffmpeg.ts'
import { runPasses } from '../../../../src/pipeline/file-tasks/passes.ts'
import type { PipelinePorts } from '../../../../src/pipeline/pipeline.ts'
import { testFfmpeg } from '../../../support/audio/ffmpeg.ts'
import { fixture, type TempFolder, tempFolder } from '../../../support/e2e/system.ts'

let emulator: DashscopeEmulator
let folder: TempFolder
let http: ReturnType<typeof createHttpClient>
let store: ReturnType<typeof sqliteStore>

beforeAll(async () => {
  emulator = await startDashscope({ ffmpeg: await testFfmpeg(), oss: true })
  folder = await tempFolder()
  http = createHttpClient({ connections: 4 })
  store = sqliteStore({ folder: join(folder.path, 'data') })
  await emulator.warmUp()
})
afterAll(async () => {
  await Promise.all([emulator.close(), http.close(), store.close()])
  await folder.remove()
})

/** Runs the passes over a recording as the job of this id, waiting this long for each task. */
async function runPassesAs(
  job: string,
  taskTimeoutSeconds: number,
  limits: {
    maxSeconds?: number
    maxCostUsd?: number
    ffmpeg?: LocateFfmpeg
    file?: string
    /** Called when the provider's list of tasks is searched. */
    onSearch?: () => void
    /** Text of every result file, in place of the provider's. */
    resultText?: string
  } = {},
) {
  const { endpoint, region, bucket, accessKeyId, accessKeySecret } = emulator.oss!
  const objectStorage = ossStorage({ endpoint, region, bucket, accessKeyId, accessKeySecret })
  const cloud = dashscope({ apiKey: emulator.apiKey, baseUrl: emulator.url, http })
  const models = {
    speakerModels: [knownModels.find('fun-asr-mtl', 'speakers')],
    fileModels: [knownModels.find('qwen3-asr-flash-filetrans', 'words')],
  }
  const {
    speakerRecognisers: [speakerRecogniser],
    fileRecognisers: [fileRecogniser],
  } = fileRecognisers({
    cloud,
    http:
      limits.resultText === undefined
        ? http
        : { fetchText: async () => ({ status: 200, text: limits.resultText! }) },
    ...models,
  })
  const {
    maxSeconds,
    ffmpeg = testFfmpeg,
    file = fixture('jfk.wav'),
    onSearch = () => {},
    maxCostUsd,
  } = limits
  const polling = { pollSeconds: 0.05, taskTimeoutSeconds: () => taskTimeoutSeconds, limitSubmits: pLimit(1) }
  const ports = {
    speakerRecogniser: speakerRecogniser!,
    fileRecogniser: fileRecogniser!,
    ...polling,
    ...(maxCostUsd !== undefined && { maxCostUsd }),
    objectStorage,
    ffmpeg,
  }
  const { size: bytes } = await stat(file)
  const run: Run = {
    job,
    owner: 'local',
    signal: new AbortController().signal,
    continuesElsewhere: () => false,
    scratch: async () => folder.path,
    progress() {},
    warn() {},
    checkpoints: createCheckpoints(store, 'local', job),
  }
  const withLimit = (recogniser: FileRecogniser) =>
    maxSeconds === undefined ? recogniser : { ...recogniser, limits: { ...recogniser.limits, maxSeconds } }
  const watched = (recogniser: FileRecogniser): FileRecogniser => ({
    ...recogniser,
    listTasks(...asked) {
      onSearch()
      return recogniser.listTasks(...asked)
    },
  })
  const passes = [speakerRecogniser!, fileRecogniser!].map(recogniser => ({
    recogniser: watched(withLimit(recogniser)),
  }))
  return runPasses(passes, {
    request: { audio: file },
    source: { file, name: basename(file), bytes, isTruncated: false },
    ports: ports as unknown as PipelinePorts,
    run,
    onPassDone() {},
  })
}

it('a task that never begins times out, is stopped, and its upload is deleted', async () => {
  const off = emulator.taskFault({ kind: 'endless', state: 'PENDING' })
  await expect(runPassesAs('tr_pending', 0.3)).rejects.toMatchObject({ code: 'TASK_TIMEOUT' })
  off()
  expect(emulator.tasks.map(({ state }) => state)).toEqual(['CANCELED', 'CANCELED'])
  expect(emulator.oss!.objects()).toEqual([])
})

it('a task that times out is polled again by the next call, not submitted again', async () => {
  emulator.set({ taskLatency: { base: 0, perSecond: 0.2 } })
  const before = emulator.tasks.length
  await expect(runPassesAs('tr_slow', 0.3)).rejects.toMatchObject({ code: 'TASK_TIMEOUT' })
  expect(emulator.oss!.objects()).toEqual([])
  const { passes } = await runPassesAs('tr_slow', 60)
  emulator.set({ taskLatency: { base: 0, perSecond: 0 } })
  expect(passes.map(({ recognition }) => recognition?.sentences.length)).toEqual([
    expect.any(Number),
    expect.any(Number),
  ])
  expect(emulator.tasks.length).toBe(before + 2)
})

it('a paid task whose result cannot be read is asked for its result again by the next call', async () => {
  const before = emulator.tasks.length
  const unreadable = runPassesAs('tr_unreadable', 60, {
    file: fixture('russian.flac'),
    resultText: '{"new":1}',
  })
  await expect(unreadable).rejects.toMatchObject({ code: 'PROVIDER_FAILED', retryable: false })
  const { passes } = await runPassesAs('tr_unreadable', 60, { file: fixture('russian.flac') })
  expect(passes.map(({ recognition }) => recognition?.sentences.length)).toEqual([
    expect.any(Number),
    expect.any(Number),
  ])
  expect(emulator.tasks.length).toBe(before + 2)
})

it.each([
  ['longer than the provider accepts', { maxSeconds: 5 }, 'TOO_LARGE'],
  ['over the cost limit', { maxCostUsd: 0.0001 }, 'COST_TOO_HIGH'],
])('a recording that is %s is refused, and nothing of it stays in the bucket', async (_, limits, code) => {
  const before = emulator.tasks.length
  await expect(runPassesAs(`tr_${code}`, 10, limits)).rejects.toMatchObject({ code })
  expect(emulator.tasks.length).toBe(before)
  expect([...emulator.oss!.objects(), ...emulator.oss!.unfinishedUploads()]).toEqual([])
})

describe('a recording whose decoder is killed', () => {
  /** An ffmpeg whose first decoders are killed after some seconds of audio. */
  async function killedFfmpeg(name: string, kills: number): Promise<LocateFfmpeg> {
    const [real, path] = [await testFfmpeg(), join(folder.path, name)]
    const script = [
      '#!/bin/sh',
      `case "$*" in *format_whitelist*) ;; *) exec '${real}' "$@" ;; esac`,
      `for kill in ${Array.from({ length: kills }, (_, i) => i).join(' ')}; do`,
      `  if mkdir '${path}-'$kill 2>/dev/null; then '${real}' "$@" | head -c 160000; kill -9 $$; fi`,
      'done',
      `exec '${real}' "$@"`,
    ]
    await writeFile(path, script.join('\n'), { mode: 0o755 })
    return async () => path
  }

  it('a recording whose decoder is killed is decoded again before anything is billed', async () => {
    const before = emulator.tasks.length
    const { duration, lost } = await runPassesAs('tr_killed', 60, { ffmpeg: await killedFfmpeg('killed', 1) })
    expect({ duration, lost }).toEqual({ duration: 11, lost: undefined })
    expect(emulator.tasks.length - before).toBeLessThanOrEqual(2)
  })

  it('a recording decoded in part never passes for the whole, in this job or another', async () => {
    const file = join(folder.path, 'again.wav')
    await writeFile(file, await readFile(fixture('russian.flac')))
    const partial = await runPassesAs('tr_partial', 60, { ffmpeg: await killedFfmpeg('partial', 2), file })
    expect(partial.lost).toMatchObject({ start: 5 })
    const before = emulator.tasks.length
    for (const job of ['tr_partial', 'tr_whole']) {
      const whole = await runPassesAs(job, 60, { file })
      expect(whole).toMatchObject({ duration: expect.closeTo(12, 0) })
      expect(whole.lost).toBeUndefined()
    }
    expect(emulator.tasks.length).toBe(before + 4)
  })
})
