// Passes over one upload that outlast all patience: what is kept of them, and what is left behind.
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FileRecogniser } from '../src/domain/ports.ts'
import type { Run } from '../src/domain/run.ts'
import { ossBlobs } from '../src/drivers/blobs/oss.ts'
import { fileRecognisers } from '../src/drivers/speech/file-recognisers.ts'
import { sqliteStore } from '../src/drivers/store/sqlite.ts'
import { dashscope } from '../src/drivers/wire/dashscope.ts'
import { createHttp } from '../src/drivers/wire/http.ts'
import { createCheckpoints } from '../src/jobs/checkpoints.ts'
import { hear } from '../src/pipeline/passes.ts'
import type { PipelinePorts } from '../src/pipeline/transcribe.ts'
import { type Standin, startStandin } from '../src/standin/standin.ts'
import { testFfmpeg } from './support/ffmpeg.ts'
import { fixture, type TempFolder, tempFolder } from './support/system.ts'

let standin: Standin
let folder: TempFolder
let http: ReturnType<typeof createHttp>
let store: ReturnType<typeof sqliteStore>

beforeAll(async () => {
  standin = await startStandin({ ffmpeg: await testFfmpeg(), oss: true })
  folder = await tempFolder()
  http = createHttp({ connections: 4 })
  store = sqliteStore({ folder: join(folder.path, 'data') })
  await standin.warmUp()
})
afterAll(async () => {
  await Promise.all([standin.close(), http.close(), store.close()])
  await folder.remove()
})

/** Hears a recording with so much patience (seconds), as the job of this id. */
async function hearAs(
  job: string,
  patience: number,
  limits: { maxSeconds?: number; maxCostUsd?: number } = {},
) {
  const { endpoint, region, bucket, accessKeyId, accessKeySecret } = standin.oss!
  const blobs = ossBlobs({ endpoint, region, bucket, accessKeyId, accessKeySecret })
  const cloud = dashscope({ apiKey: standin.apiKey, baseUrl: standin.url, http })
  const models = { speakerModel: 'fun-asr-mtl', fileModel: 'qwen3-asr-flash-filetrans' }
  const recognisers = fileRecognisers({ cloud, http, ...models })
  const { maxSeconds, ...money } = limits
  const waiting = { pollSeconds: 0.05, patience: () => patience }
  const ports = { ...recognisers, ...waiting, ...money, blobs, ffmpeg: testFfmpeg }
  const file = fixture('jfk.wav')
  const { size: bytes } = await stat(file)
  const run: Run = {
    ...{ job, owner: 'local', signal: new AbortController().signal },
    goesOn: () => false,
    scratch: async () => folder.path,
    progress() {},
    warn() {},
    checkpoints: createCheckpoints(store, 'local', job),
  }
  const { speakerRecogniser, fileRecogniser } = recognisers
  const within = (recogniser: FileRecogniser) =>
    maxSeconds === undefined ? recogniser : { ...recogniser, limits: { ...recogniser.limits, maxSeconds } }
  const passes = [speakerRecogniser, fileRecogniser].map(recogniser => ({ recogniser: within(recogniser) }))
  return hear(passes, {
    order: { audio: file },
    source: { file, name: basename(file), bytes, cutOff: false },
    ports: ports as unknown as PipelinePorts,
    run,
    onHeard() {},
  })
}

it('a task that never begins is given up, stopped, and its upload taken away', async () => {
  const off = standin.taskFault({ kind: 'endless', state: 'PENDING' })
  await expect(hearAs('tr_pending', 0.3)).rejects.toMatchObject({ code: 'TASK_TIMEOUT' })
  off()
  expect(standin.tasks.map(({ state }) => state)).toEqual(['CANCELED', 'CANCELED'])
  expect(standin.oss!.objects()).toEqual([])
})

it('a task that takes too long is asked again later, not submitted again', async () => {
  standin.set({ taskLatency: { base: 0, perSecond: 0.2 } })
  const before = standin.tasks.length
  await expect(hearAs('tr_slow', 0.3)).rejects.toMatchObject({ code: 'TASK_TIMEOUT' })
  expect(standin.oss!.objects()).toEqual([])
  const { passes } = await hearAs('tr_slow', 60)
  standin.set({ taskLatency: { base: 0, perSecond: 0 } })
  expect(passes.map(({ hearing }) => hearing?.sentences.length)).toEqual([
    expect.any(Number),
    expect.any(Number),
  ])
  expect(standin.tasks.length).toBe(before + 2)
})

it.each([
  ['longer than the provider hears', { maxSeconds: 5 }, 'TOO_LARGE'],
  ['dearer than it may be', { maxCostUsd: 0.0001 }, 'COST_TOO_HIGH'],
])('a recording that is %s is refused, and nothing of it lies in the bucket', async (_, limits, code) => {
  const before = standin.tasks.length
  await expect(hearAs(`tr_${code}`, 10, limits)).rejects.toMatchObject({ code })
  expect(standin.tasks.length).toBe(before)
  expect([...standin.oss!.objects(), ...standin.oss!.multiparts()]).toEqual([])
})
