// The models of ASR_MODEL, in their order, as one recogniser of chunks.
import { type Meter, noMeter } from '../../domain/meter.ts'
import { type Model, modelKey, type UnavailableModels } from '../../domain/models/model.ts'
import { languagesOf } from '../../domain/models/successors.ts'
import type { Recogniser } from '../../domain/ports.ts'
import type { Dashscope } from '../http/dashscope.ts'
import { createAdaptiveRateLimiter } from '../http/rate-limiter.ts'
import { metering, rateLimiting, retrying, wrap } from '../http/wrap.ts'
import { chunkAsr } from './chunk-asr.ts'
import { type ChunkTaskOptions, chunkTasks } from './chunk-tasks.ts'
import { type Drainable, drainable } from './drainable.ts'
import { type FileAsrOptions, fileAsr } from './file-asr/file-asr.ts'
import { missingKey, type OpenAiServer, openAiAsr } from './openai/openai-asr.ts'
import { type ListedRecogniser, recogniserList } from './recogniser-list.ts'
import { asrRetries, ownEngineRetries } from './retries.ts'

/** Where chunks are recognised; a model's form says by which of them. */
export interface ChunkServers {
  cloud: Dashscope
  /** For models of the form `openai-transcription`. */
  openai: OpenAiServer
  /** For models that have file tasks alone. */
  tasks?: ChunkTaskOptions & Pick<FileAsrOptions, 'http'>
}

export interface ChunkRecognisersOptions extends ChunkServers {
  /** In the order of preference; at least one. */
  models: Model[]
  /** Concurrent requests to one model. */
  concurrency: number
  unavailableModels: UnavailableModels
  meter?: Meter
}

/** Asked directly, with one request a call. */
export interface OwnEngine extends Recogniser {
  host: string
}

/** Those of the models that run on servers of the user's own or of OpenAI. */
export function ownEngines(servers: ChunkServers, models: Model[]): OwnEngine[] {
  const { cloud, openai } = servers
  return models
    .filter(({ provider }) => provider === 'openai' || cloud.own)
    .map(model => ({
      ...chunkRecogniser(servers, { model, concurrency: 1 }),
      host: new URL(model.provider === 'openai' ? openai.baseUrl : cloud.baseUrl).host,
    }))
}

function chunkRecogniser(
  { cloud, openai, tasks }: ChunkServers,
  options: { model: Model; concurrency: number },
): Recogniser {
  const { model } = options
  if (model.form === 'openai-transcription') return openAiAsr(openai, options)
  if (!tasks || model.form !== 'dashscope-file-list') return chunkAsr(cloud, options)
  return chunkTasks(fileAsr({ cloud, http: tasks.http, model, role: 'words' }), tasks, options)
}

/** Each model keeps to its own rate; all of them can be drained. */
export function chunkRecognisers({
  models,
  concurrency,
  unavailableModels,
  meter = noMeter,
  ...servers
}: ChunkRecognisersOptions): Drainable {
  const requests: Drainable[] = []

  function open(model: Model): ListedRecogniser {
    const isOpenAi = model.form === 'openai-transcription'
    const driver = chunkRecogniser(servers, { model, concurrency })
    const metered = wrap(driver, ['recognise'], metering(meter, model.name))
    const request = drainable(metered)
    requests.push(request)
    const limiter = createAdaptiveRateLimiter({ perMinute: model.perMinute, concurrency })
    const recogniser: Recogniser = wrap(
      request,
      ['recognise'],
      retrying(isOpenAi ? ownEngineRetries : asrRetries),
      rateLimiting(limiter),
    )
    return {
      ...recogniser,
      ...languagesOf(model),
      name: model.name,
      provider: model.provider,
      missingKey: () => (isOpenAi ? missingKey(servers.openai) : servers.cloud.missingKey()),
      key: modelKey(model.name, isOpenAi ? servers.openai.baseUrl : servers.cloud.baseUrl),
    }
  }

  return {
    ...recogniserList(models.map(open), unavailableModels),
    async drain(seconds) {
      await Promise.all(requests.map(request => request.drain(seconds)))
    },
  }
}
