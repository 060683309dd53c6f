// The models of ASR_MODEL, in their order, as one recogniser of chunks.
import { type Meter, noMeter } from '../../domain/meter.ts'
import { type Model, modelKey, type UnavailableModels } from '../../domain/models/model.ts'
import type { Recogniser } from '../../domain/ports.ts'
import type { Dashscope } from '../http/dashscope.ts'
import { createAdaptiveRateLimiter } from '../http/rate-limiter.ts'
import { metering, rateLimiting, retrying, wrap } from '../http/wrap.ts'
import { chunkAsr } from './chunk-asr.ts'
import { type Drainable, drainable } from './drainable.ts'
import { type ListedRecogniser, recogniserList } from './recogniser-list.ts'
import { asrRetries } from './retries.ts'

export interface ChunkRecognisersOptions {
  cloud: Dashscope
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
  models,
  concurrency,
  unavailableModels,
  meter = noMeter,
}: ChunkRecognisersOptions): Drainable {
  const requests: Drainable[] = []

  function open(model: Model): ListedRecogniser {
    const metered = wrap(chunkAsr(cloud, { model, concurrency }), ['recognise'], metering(meter, model.name))
    const request = drainable(metered)
    requests.push(request)
    const limiter = createAdaptiveRateLimiter({ perMinute: model.perMinute, concurrency })
    const recogniser: Recogniser = wrap(request, ['recognise'], retrying(asrRetries), rateLimiting(limiter))
    return {
      ...recogniser,
      name: model.name,
      provider: model.provider,
      key: modelKey(model.name, cloud.baseUrl),
    }
  }

  return {
    ...recogniserList(models.map(open), unavailableModels),
    async drain(seconds) {
      await Promise.all(requests.map(request => request.drain(seconds)))
    },
  }
}
