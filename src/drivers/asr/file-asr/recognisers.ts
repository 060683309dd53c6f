// The recognisers of whole files, a list for speakers and one for text, within the rate limits that they share.
import { SpeechError } from '../../../domain/errors.ts'
import { type Meter, noMeter } from '../../../domain/meter.ts'
import type { FileRecogniserList } from '../../../domain/models/file-recogniser-list.ts'
import type { Model, UnavailableModels } from '../../../domain/models/model.ts'
import type { FileRecogniser } from '../../../domain/ports.ts'
import type { Dashscope } from '../../http/dashscope.ts'
import { type HttpClient, hasTimedOut } from '../../http/http.ts'
import {
  type AdaptiveRateLimiter,
  createAdaptiveRateLimiter,
  reportThrottling,
} from '../../http/rate-limiter.ts'
import type { RetryOptions } from '../../http/retry.ts'
import { type Around, metering, rateLimiting, retrying, wrap } from '../../http/wrap.ts'
import { isOfModel, modelList } from '../../models/model-list.ts'
import { asrRetries } from '../retries.ts'
import { fileAsr } from './file-asr.ts'
import type { FileRole } from './requests.ts'
import { createThrottle, type Throttle } from './throttle.ts'

export interface FileRecognisersOptions {
  cloud: Dashscope
  http: Pick<HttpClient, 'fetchText'>
  /** In the order of preference. */
  speakerModels: Model[]
  fileModels: Model[]
  unavailableModels: UnavailableModels
  meter?: Meter
  /** Overrides of `asrRetries`. */
  retries?: Partial<RetryOptions>
}

export interface FileRecognisers {
  speakerRecognisers: FileRecogniserList
  fileRecognisers: FileRecogniserList
}

/** An account may ask about tasks 20 times a second (Model Studio, asynchronous tasks); other processes need some of that. */
const queriesPerSecond = 15
const maxConcurrentSubmits = 4

export function fileRecognisers({
  cloud,
  http,
  speakerModels,
  fileModels,
  unavailableModels,
  meter = noMeter,
  retries,
}: FileRecognisersOptions): FileRecognisers {
  const throttle = createThrottle(queriesPerSecond)
  const limiters = new Map<string, AdaptiveRateLimiter>()
  const recogniser = (model: Model, role: FileRole) => {
    const { name, perMinute } = model
    const limiter =
      limiters.get(name) ?? createAdaptiveRateLimiter({ perMinute, concurrency: maxConcurrentSubmits })
    limiters.set(name, limiter)
    const metered = wrap(fileAsr({ cloud, http, model, role }), ['submit', 'status'], metering(meter, name))
    return withRetries(withLimits(metered, { limiter, throttle }), retries)
  }
  return {
    speakerRecognisers: recogniserList(
      speakerModels.map(model => recogniser(model, 'speakers')),
      { unavailableModels, setting: 'SPEAKER_MODEL' },
    ),
    fileRecognisers: recogniserList(
      fileModels.map(model => recogniser(model, 'words')),
      { unavailableModels, setting: 'FILE_MODEL' },
    ),
  }
}

function recogniserList(
  members: FileRecogniser[],
  options: { unavailableModels: UnavailableModels; setting: string },
): FileRecogniserList {
  const named = members.map(recogniser => ({ ...recogniser, name: recogniser.model, provider: 'dashscope' }))
  // Another model helps only where the error is about the model.
  const { ask } = modelList(named, { ...options, movesOn: isOfModel })
  return {
    members: named,
    ask,
    async available() {
      const areGone = await Promise.all(members.map(({ key }) => options.unavailableModels.has(key)))
      return named.filter((_, i) => !areGone[i])
    },
  }
}

/** Keeps submits to the limiter's rate, and queries about tasks to the throttle's. */
export function withLimits(
  recogniser: FileRecogniser,
  { limiter, throttle }: { limiter: AdaptiveRateLimiter; throttle: Throttle },
): FileRecogniser {
  const throttling: Around = async (call, signal) => {
    await throttle.next(signal)
    return reportThrottling(call, { backOff: throttle.pause, recover() {} })
  }
  const limited = wrap(recogniser, ['submit'], rateLimitTimeouts, rateLimiting(limiter))
  return wrap(limited, ['status', 'listTasks', 'cancel'], throttling)
}

/** Retries submits too: one that may have made a task fails with an error that is not retryable. */
export function withRetries(recogniser: FileRecogniser, overrides?: Partial<RetryOptions>): FileRecogniser {
  const retry = retrying({ ...asrRetries, ...overrides })
  return wrap(recogniser, ['submit', 'status', 'listTasks', 'cancel'], retry)
}

/** Explains a time limit that passed while a request waited for the rate limiter. */
const rateLimitTimeouts: Around = (call, signal) =>
  call().catch(error => {
    if (error !== signal.reason || !hasTimedOut(signal)) throw error
    throw new SpeechError('THROTTLED', 'The request waited too long: the model’s rate limit is used up.', {
      hint: 'Wait a minute and call again.',
      retryable: true,
      cause: error,
    })
  })
