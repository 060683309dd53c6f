// Composition root: builds one driver for each port. The only file that imports all of them.
import { join } from 'node:path'
import {
  createObjectStorage,
  createSharedQueue,
  createSharedStore,
  pageKeyOf,
  uploadsOf,
} from './app-services.ts'
import { type Config, canRunJobs, costLimits, hasFileModels } from './config/config.ts'
import { noMeter } from './domain/meter.ts'
import { createModelCatalog } from './domain/models/catalog.ts'
import type { Model, ModelRole } from './domain/models/model.ts'
import type { ModelProbe } from './domain/models/probe.ts'
import { deadlines } from './domain/network/deadlines.ts'
import type { Uploads } from './domain/network/uploads.ts'
import type { ObjectStorage } from './domain/ports.ts'
import type { Queue } from './domain/queue.ts'
import { createFairLimit } from './domain/waiting/fair-limit.ts'
import { nextTurn } from './domain/waiting/turns.ts'
import { chunkRecognisers, type OwnEngine, ownEngines } from './drivers/asr/chunk-recognisers.ts'
import { fileRecognisers } from './drivers/asr/file-asr/recognisers.ts'
import { ownProviders } from './drivers/asr/own-providers.ts'
import { speechProbes } from './drivers/asr/probes.ts'
import { createDownloader } from './drivers/download/download.ts'
import { type FoundFfmpeg, locateOnce } from './drivers/ffmpeg/locate.ts'
import { type Dashscope, dashscope } from './drivers/http/dashscope.ts'
import { createHttpClient, type HttpClient } from './drivers/http/http.ts'
import { checkGeminiKey } from './drivers/llm/gemini/key.ts'
import { textProbes } from './drivers/llm/probes.ts'
import { textConcurrency, textModels } from './drivers/llm/text-models.ts'
import { unavailableModels } from './drivers/models/unavailable-models.ts'
import { inProcessQueue } from './drivers/queue/in-process.ts'
import { sqliteStore } from './drivers/store/sqlite/sqlite.ts'
import { createJobs, type Jobs, type ShutdownOptions } from './jobs/jobs.ts'
import { createNoteDecoders } from './pipeline/audio/note-decoders.ts'
import { encoderConcurrency } from './pipeline/chunks/encode-all.ts'

/** Concurrent jobs per lane. One long recording uses the whole rate limit; voice notes must not wait behind it. */
const lanes = { short: 8, long: 2, remote: 8 }

/** A server of one's own is near, and its tasks for chunks are short. */
const maxChunkPollSeconds = 1

const taskTimeoutSeconds = (duration: number) => deadlines.fileTask.totalSeconds + duration

export interface App {
  jobs: Jobs
  /** For a server that takes uploads. */
  loadUploads(): Promise<Uploads>
  /** The key of what a server gives out and takes back later; drawn with the first call. */
  pageKey(): Promise<Uint8Array>
  cloud: Dashscope
  objectStorage: ObjectStorage
  /** The models of FORMAT_MODELS that have a key, in order of preference. */
  textModels: Model[]
  /** Each configured model once, except those of `engines`. */
  probes: ModelProbe[]
  /** Models of ASR_MODEL on servers of the user's own or of OpenAI. */
  engines: OwnEngine[]
  /** Resolves if Gemini accepts its key; undefined if no Gemini model is configured. */
  checkGemini?: ((signal: AbortSignal) => Promise<void>) | undefined
  /** Fetches from a signed address of `objectStorage`, or from an identity provider. */
  fetchText: HttpClient['fetchText']
  ffmpeg(): Promise<FoundFfmpeg>
  /** Prometheus metrics; undefined unless requested. */
  metrics?: (() => Promise<{ type: string; text: string }>) | undefined
  /** For a shared store: creates its tables or throws what is missing. Resolves with a sentence per table. */
  setUpStore?: ((signal: AbortSignal) => Promise<string[]>) | undefined
  /** The same for a shared queue. */
  setUpQueue?: ((signal: AbortSignal) => Promise<string[]>) | undefined
  /** Since when the shared queue has not answered (milliseconds since 1970). */
  queueSilentSince?: (() => number | undefined) | undefined
  /** Sentences for the user about a store that is damaged or takes nothing. */
  storeWarnings(): string[]
  /** For a server: loads what the first call needs, and keeps an ffmpeg ready, at first for a file of this name. */
  warmUp(usualNote: string): Promise<void>
  close(options?: ShutdownOptions): Promise<void>
}

export interface AppOptions {
  /** With a shared queue, only a `worker` runs jobs. Default: `server`. */
  role?: 'server' | 'worker'
  /** Version shown in the metrics; without it no metrics are collected. */
  metricsVersion?: string
}

/**
 * Cheap, and without effect until it is used: connections and files are opened on first use, and drivers of shared
 * services are loaded where they are configured.
 */
export async function createApp(
  config: Config,
  { role = 'server', metricsVersion }: AppOptions = {},
): Promise<App> {
  const { proxies } = config
  const http = createHttpClient({ connections: config.concurrency, proxies })
  const cloud = dashscope({
    apiKey: config.apiKey,
    baseUrl: config.baseUrl,
    isOwn: config.ownDashscope !== undefined,
    http,
  })
  const objectStorage = await createObjectStorage(config, cloud)
  const shared = await createSharedStore(config)
  const store = shared ?? sqliteStore({ folder: config.dataDir })
  const metrics =
    metricsVersion === undefined
      ? undefined
      : (await import('./drivers/metrics/prometheus.ts')).prometheus({
          unfinishedJobs: () => store.unfinishedJobs(),
          version: metricsVersion,
        })
  const meter = metrics ?? noMeter
  const catalog = createModelCatalog(config.modelDescriptions, ownProviders(config))
  const modelsOf = (names: string[], role: ModelRole) => names.map(name => catalog.find(name, role))
  const limits = costLimits(config)
  /** With the user's limit, another model answers only if its price is known; a first one without is refused with a reason. */
  const affordable = (names: string[], role: ModelRole) =>
    modelsOf(names, role).filter(({ price }, i) => i === 0 || price || !limits.isStrict)
  const unavailable = unavailableModels(store)
  const servers = {
    cloud,
    openai: { baseUrl: config.openaiUrl, apiKey: config.openaiKey, http },
    tasks: { http, storage: objectStorage, pollSeconds: Math.min(maxChunkPollSeconds, config.pollSeconds) },
  }
  const asrModels = modelsOf(config.asrModels, 'chunk')
  const recogniser = chunkRecognisers({
    ...servers,
    models: asrModels,
    concurrency: config.concurrency,
    unavailableModels: unavailable,
    meter,
  })
  const fileTasks = fileRecognisers({
    cloud,
    http,
    meter,
    speakerModels: affordable(config.speakerModels, 'speakers'),
    fileModels: affordable(config.fileModels, 'words'),
    unavailableModels: unavailable,
  })
  const mns = await createSharedQueue(config, id => store.ownersOf(id))
  const queue: Queue = mns ?? inProcessQueue(lanes)
  const textHttp = createHttpClient({ connections: textConcurrency, proxies })
  const textProviders = {
    // An own server recognises speech and nothing else.
    dashscope: { apiKey: config.ownDashscope ? undefined : config.apiKey, baseUrl: config.baseUrl },
    gemini: { apiKey: config.geminiKey, baseUrl: config.geminiUrl },
    http: textHttp,
    catalog,
  }
  const textModel = textModels({
    ...textProviders,
    models: affordable(config.formatModels, 'text').map(({ name }) => name),
    unavailableModels: unavailable,
    meter,
  })
  const locate = locateOnce({ named: config.ffmpegPath, searchPath: config.searchPath })
  const scratchDir = join(config.dataDir, 'scratch')
  const noteDecoders = createNoteDecoders(join(scratchDir, 'links'))
  const ffmpeg = async () => {
    const found = await locate()
    // To start a process takes this one up to 10 ms, so each has a turn of the event loop to itself.
    await nextTurn()
    return { ...found, noteDecoders }
  }
  const uploads = uploadsOf(config, store)
  const pageKey = pageKeyOf(config)
  const jobs = createJobs({
    store,
    queue,
    meter,
    limits,
    shared: shared !== undefined,
    runsJobs: role === 'worker' || !queue.shared,
    drain: recogniser.drain,
    scratchDir,
    pipeline: {
      recogniser,
      ...fileTasks,
      textModel,
      // Without any key for speech a job fails as ever, and keeps its id.
      hasFileModels: hasFileModels(config) || !canRunJobs(config),
      objectStorage,
      pollSeconds: config.pollSeconds,
      taskTimeoutSeconds,
      limitSubmits: createFairLimit(1),
      limitEncoding: createFairLimit(encoderConcurrency),
      downloader: createDownloader({ proxies }),
      ffmpeg,
      uploads: uploads.source,
      warmUp: http.warmUp,
      allowedDirs: config.allowedDirs,
      maxDownloadBytes: config.maxDownloadMb * 1e6,
    },
  })
  const { geminiKey: apiKey, geminiUrl: baseUrl } = config
  const engines = ownEngines(servers, asrModels)
  return {
    jobs,
    loadUploads: uploads.load,
    pageKey: pageKey.get,
    cloud,
    objectStorage,
    fetchText: http.fetchText,
    ffmpeg,
    textModels: modelsOf(textModel.models, 'text'),
    probes: [
      ...speechProbes({
        cloud,
        http,
        unavailableModels: unavailable,
        chunkModels: asrModels.filter(({ name }) => !engines.some(({ model }) => model === name)),
        speakerModels: modelsOf(config.speakerModels, 'speakers'),
        fileModels: modelsOf(config.fileModels, 'words'),
      }),
      ...textProbes({ ...textProviders, models: config.formatModels, unavailableModels: unavailable }),
    ],
    engines,
    checkGemini:
      apiKey !== undefined && modelsOf(textModel.models, 'text').some(({ provider }) => provider === 'gemini')
        ? signal => checkGeminiKey({ apiKey, baseUrl, http: textHttp }, signal)
        : undefined,
    metrics: metrics?.page,
    setUpStore: shared?.setUp,
    setUpQueue: mns?.setUp,
    queueSilentSince: mns?.unreachableSince,
    storeWarnings: store.warnings,
    async warmUp(usualNote) {
      store.warmUp?.()
      http.warmUp()
      // Without ffmpeg, the first call says so.
      const found = await locate().catch(() => undefined)
      if (found) noteDecoders.keepReady(found, usualNote)
    },
    async close(options) {
      await jobs.close(options)
      await Promise.all([uploads.close(), pageKey.close()])
      noteDecoders.close()
      await Promise.all([store.close(), objectStorage.close(), http.close(), textHttp.close()])
    },
  }
}
