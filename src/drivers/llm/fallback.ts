// Several text models as one: a request goes to the first available model, and to the next one after a failure.
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import type {
  GenerateOptions,
  TextAnswer,
  TextModel,
  TextRequest,
  UnavailableModels,
} from '../../domain/text-model.ts'
import { log } from '../../log.ts'
import { errorResponseOf } from '../http/dashscope.ts'
import {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  createCircuitBreaker,
  type Permit,
} from './circuit-breaker.ts'
import { acceptedOnce, type ProviderModel } from './provider-model.ts'

export interface FallbackOptions extends CircuitBreakerOptions {
  unavailableModels: UnavailableModels
}

interface Member {
  model: ProviderModel
  breaker: CircuitBreaker
}

/** How long a model that throttles is skipped. */
const throttledMs = 10_000

interface Failure {
  model: string
  error: SpeechError
}

/**
 * Takes at least one model. An unavailable model costs one request, however many arrive at once. A refused key or an unpaid
 * bill blocks its provider for a minute; any other failure concerns its own request only. When all models fail, the error
 * is the one that the user can do most about.
 */
export function fallback(
  models: ProviderModel[],
  { unavailableModels, ...breakerOptions }: FallbackOptions,
): TextModel {
  const members = models.map((model): Member => ({ model, breaker: createCircuitBreaker(breakerOptions) }))

  async function ask(member: Member, request: TextRequest, options: GenerateOptions): Promise<TextAnswer> {
    const { model, breaker } = member
    const { signal } = options
    if (await unavailableModels.has(model.key)) throw unavailable(model)
    const permit = await breaker.acquire(signal)
    if (isSpeechError(permit)) throw permit
    try {
      const onAccepted = () => {
        permit.succeed()
        options.onAccepted?.()
      }
      const answer = await model.generate(request, { ...options, onAccepted })
      onAccepted()
      return answer
    } catch (error) {
      if (!signal.aborted && isSpeechError(error)) await record(member, permit, error)
      throw error
    } finally {
      permit.release(signal.aborted)
    }
  }

  async function record({ model, breaker }: Member, permit: Permit, error: SpeechError): Promise<void> {
    if (error.code === 'MODEL_NOT_FOUND') {
      log.info('text-model-unavailable', { model: model.name })
      await unavailableModels.add(model.key)
    }
    if (error.scope === 'account') {
      const sameProvider = members.filter(other => other.model.provider === model.provider)
      for (const member of isOfModel(error) ? [{ breaker }] : sameProvider) member.breaker.open(error)
    } else if (error.code === 'THROTTLED') {
      // Retries were in vain. While there is another model, other requests need not find that out again.
      if (model !== models.at(-1)) breaker.open(error, throttledMs)
    } else if (error.code === 'CONTENT_REFUSED' || error.code === 'PROVIDER_REFUSED') {
      // A provider that checks the content has accepted the model and the key.
      permit.succeed()
    }
  }

  return {
    models: models.flatMap(model => model.models),
    concurrency: Math.max(...models.map(({ concurrency }) => concurrency)),
    async generate(request, options) {
      const once = acceptedOnce(options)
      const failures: Failure[] = []
      for (const member of members) {
        try {
          return await ask(member, request, once)
        } catch (error) {
          options.signal.throwIfAborted()
          if (!isSpeechError(error)) throw error
          log.info('text-model-skipped', { model: member.model.name, code: error.code })
          failures.push({ model: member.model.name, error })
        }
      }
      throw allFailed(failures)
    },
  }
}

/** True where the error concerns one model: the same key may be allowed to use others. */
function isOfModel(error: SpeechError): boolean {
  const { code } = error
  if (code === 'MODEL_NOT_FOUND' || code === 'ACCESS_DENIED') return true
  return errorResponseOf(error)?.code === 'AllocationQuota.FreeTierOnly'
}

/** Errors that a user can act on come first; an unavailable model matters only when all are. */
const byRelevance = [
  ...['KEY_REFUSED', 'ACCOUNT_IN_ARREARS', 'WRONG_BASE_URL', 'ACCESS_DENIED', 'CONTENT_REFUSED', 'THROTTLED'],
  ...['PROVIDER_REFUSED', 'PROVIDER_UNREACHABLE', 'PROVIDER_TIMEOUT', 'PROVIDER_FAILED', 'MODEL_NOT_FOUND'],
]

function allFailed(failures: Failure[]): SpeechError {
  const rank = ({ error }: Failure) =>
    (byRelevance.indexOf(error.code) + byRelevance.length + 1) % (byRelevance.length + 1)
  const [worst, ...others] = failures.toSorted((a, b) => rank(a) - rank(b))
  const { model, error } = worst!
  if (others.length === 0) return error
  const rest = failures
    .filter(failure => failure !== worst)
    .map(failure => `${failure.model}: ${failure.error.code}`)
  return new SpeechError(
    error.code,
    `${error.message} That was ${model}; the others failed too (${rest.join(', ')}).`,
    {
      hint: error.hint,
      retryable: failures.some(failure => failure.error.retryable),
      // Another request may fare better as long as one model was stopped by this request alone.
      ...(failures.every(failure => failure.error.scope === 'account') && { scope: 'account' }),
      cause: error,
    },
  )
}

function unavailable({ name }: ProviderModel): SpeechError {
  return new SpeechError(
    'MODEL_NOT_FOUND',
    `The model ${name} does not exist any more; it is tried again one day after that was found.`,
    { hint: 'Set FORMAT_MODELS to models that exist.', scope: 'account' },
  )
}
