// The models of ASR_MODEL, in their order, as one recogniser of chunks.
import { type Meter, noMeter } from '../../domain/meter.ts'
import { type Model, modelKey, type UnavailableModels } from '../../domain/models/model.ts'
import type { Recogniser } from '../../domain/ports.ts'
import type { Dashscope } from '../http/dashscope.ts'
import { createAdaptiveRateLimiter } from '../http/rate-limiter.ts'
import { metering, rateLimiting, retrying, wrap } from '../http/wrap.ts'
import { chunkAsr } from './chunk-asr.ts'
import { type ChunkTaskOptions, chunkTasks } from './chunk-tasks.ts'
import { type Drainable, drainable } from './drainable.ts'
import { type FileAsrOptions, fileAsr } from './file-asr/file-asr.ts'
import { type OpenAiServer, openAiAsr } from './openai/openai-asr.ts'
import { type ListedRecogniser, recogniserList } from './recogniser-list.ts'
import { asrRetries, ownEngineRetries } from './retries.ts'

export interface ChunkRecognisersOptions {
  cloud: Dashscope
  /** For models of the form `openai-transcription`. */
  openai: OpenAiServer
  /** For models that have file tasks alone. */
  tasks?: ChunkTaskOptions & Pick<FileAsrOptions, 'http'>
  /** In the order of preference; at least one. */
  models: Model[]
  /** Concurrent requests to one model. */
  concurrency: number
  unavailableModels: UnavailableModels
  meter?: Meter
}

/** Each model keeps to its own rate; all of them can be drained. */
export function chunkRecognisers({
  cloud,
  openai,
  tasks,
  models,
  concurrency,
  unavailableModels,
  meter = noMeter,
}: ChunkRecognisersOptions): Drainable {
  const requests: Drainable[] = []

  function open(model: Model): ListedRecogniser {
    const isOpenAi = model.form === 'openai-transcription'
    const options = { model, concurrency }
    const driver = isOpenAi
      ? openAiAsr(openai, options)
      : tasks && model.form === 'dashscope-file-list'
        ? chunkTasks(fileAsr({ cloud, http: tasks.http, model, role: 'words' }), tasks, options)
        : chunkAsr(cloud, options)
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
      name: model.name,
      provider: model.provider,
      key: modelKey(model.name, isOpenAi ? openai.baseUrl : cloud.baseUrl),
    }
  }

  return {
    ...recogniserList(models.map(open), unavailableModels),
    async drain(seconds) {
      await Promise.all(requests.map(request => request.drain(seconds)))
    },
  }
}
