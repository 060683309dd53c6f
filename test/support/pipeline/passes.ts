// Passes over one upload in a test: an emulated cloud with a bucket, a store, and runs as jobs of any id.
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type DashscopeEmulator, startDashscope } from '../../../emulators/dashscope/dashscope.ts'
import type { Budget } from '../../../src/domain/costs/budget.ts'
import { knownModels } from '../../../src/domain/models/catalog.ts'
import type { Run } from '../../../src/domain/run.ts'
import { createFairLimit } from '../../../src/domain/waiting/fair-limit.ts'
import { fileRecognisers } from '../../../src/drivers/asr/file-asr/recognisers.ts'
import { dashscope } from '../../../src/drivers/http/dashscope.ts'
import { createHttpClient } from '../../../src/drivers/http/http.ts'
import { unavailableModels } from '../../../src/drivers/models/unavailable-models.ts'
import { temporaryStorage } from '../../../src/drivers/object-storage/dashscope-temporary/temporary.ts'
import { ossStorage } from '../../../src/drivers/object-storage/oss/oss.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { createCheckpoints } from '../../../src/jobs/records/checkpoints.ts'
import type { LocateFfmpeg } from '../../../src/pipeline/audio/ffmpeg.ts'
import type { Pass } from '../../../src/pipeline/file-tasks/candidates.ts'
import { type PassResults, runPasses } from '../../../src/pipeline/file-tasks/passes.ts'
import type { PipelinePorts } from '../../../src/pipeline/pipeline.ts'
import { locateTestFfmpeg, testFfmpeg } from '../audio/ffmpeg.ts'
import { fixture, type TempFolder, tempFolder } from '../e2e/system.ts'
import { testBudget } from './budget.ts'

export interface PassesOptions extends Omit<Pass, 'recognisers'> {
  /** Default: 60. */
  taskTimeoutSeconds?: number
  speakerModels?: string[]
  fileModels?: string[]
  /** Of every model. */
  maxSeconds?: number
  budget?: Budget
  ffmpeg?: LocateFfmpeg
  file?: string
  /** Text of every result file, in place of the provider's. */
  resultText?: string
  /** Hash of the recording, by which jobs share results. */
  hash?: string
  /** US dollars a second, by model. */
  prices?: Record<string, number>
  /** Uploads into the provider's store instead of the bucket. */
  temporary?: boolean
}

export interface PassesSystem {
  emulator: DashscopeEmulator
  folder: string
  /** Runs the pass for speakers and the one for words over a recording as the job of this id. */
  run(job: string, options?: PassesOptions): Promise<PassResults>
  /** Passes a day and starts a new process: models may be asked again, and nothing is known of the temporary store. */
  forget(): void
  close(): Promise<void>
}

export async function startPasses(): Promise<PassesSystem> {
  const emulator = await startDashscope({ ffmpeg: await testFfmpeg(), oss: true })
  const folder: TempFolder = await tempFolder()
  const http = createHttpClient({ connections: 4 })
  const store = sqliteStore({ folder: join(folder.path, 'data') })
  await emulator.warmUp()
  const cloud = dashscope({ apiKey: emulator.apiKey, baseUrl: emulator.url, http })
  const temporaryStores = [temporaryStorage({ cloud })]
  let days = 0

  return {
    emulator,
    folder: folder.path,
    async run(job, options = {}) {
      const {
        taskTimeoutSeconds = 60,
        speakerModels = ['fun-asr-mtl'],
        fileModels = ['qwen3-asr-flash-filetrans'],
        maxSeconds,
        budget = testBudget(),
        ffmpeg = locateTestFfmpeg,
        file = fixture('jfk.wav'),
        resultText,
        temporary,
        hash,
        prices = {},
        ...facts
      } = options
      const modelOf = (name: string, role: 'speakers' | 'words') => ({
        ...knownModels.find(name, role),
        ...(maxSeconds !== undefined && { maxSeconds }),
        ...(prices[name] !== undefined && { price: { usdPerSecond: prices[name] } }),
      })
      const lists = fileRecognisers({
        cloud,
        http:
          resultText === undefined ? http : { fetchText: async () => ({ status: 200, text: resultText }) },
        // A process of its own, which knows of others only by the store.
        unavailableModels: unavailableModels(store, { now: () => Date.now() + days * 86_400_001 }),
        speakerModels: speakerModels.map(name => modelOf(name, 'speakers')),
        fileModels: fileModels.map(name => modelOf(name, 'words')),
      })
      const { endpoint, region, bucket, accessKeyId, accessKeySecret } = emulator.oss!
      const ports = {
        ...lists,
        pollSeconds: 0.05,
        taskTimeoutSeconds: () => taskTimeoutSeconds,
        limitSubmits: createFairLimit(1),
        objectStorage: temporary
          ? temporaryStores.at(-1)
          : ossStorage({ endpoint, region, bucket, accessKeyId, accessKeySecret }),
        ffmpeg,
      }
      const { size: bytes } = await stat(file)
      const run: Run = {
        job,
        owner: 'local',
        signal: new AbortController().signal,
        continuesElsewhere: () => false,
        gotOn() {},
        answered() {},
        scratch: async () => folder.path,
        progress() {},
        warn() {},
        checkpoints: createCheckpoints(store, 'local', job),
        budget,
      }
      const passes = [lists.speakerRecognisers, lists.fileRecognisers].map(recognisers => ({
        recognisers,
        ...facts,
      }))
      return runPasses(passes, {
        request: { audio: file, ...(hash !== undefined && { hash }) },
        source: { file, name: basename(file), bytes, isTruncated: false },
        ports: ports as unknown as PipelinePorts,
        run,
        onPassDone() {},
      })
    },
    forget() {
      days++
      temporaryStores.push(temporaryStorage({ cloud }))
    },
    async close() {
      await Promise.all([
        emulator.close(),
        http.close(),
        store.close(),
        ...temporaryStores.map(({ close }) => close()),
      ])
      await folder.remove()
    },
  }
}
