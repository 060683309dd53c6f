// A list of models as one: a request goes to the first available model, and to the next one after a failure.
import { isSpeechError, SpeechError } from '../../domain/errors.ts'
import type { UnavailableModels } from '../../domain/models/model.ts'
import { log } from '../../log.ts'
import { pauseMsOf, retryAfter } from '../http/retry-after.ts'
import {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  createCircuitBreaker,
  type Permit,
} from './circuit-breaker.ts'

/** A member of a list. */
export interface ListedModel {
  readonly name: string
  /** Models of the same provider share its key and its address. */
  readonly provider: string
  /** Name and address; identifies the model among the unavailable ones. */
  readonly key: string
}

export interface ModelListOptions extends CircuitBreakerOptions {
  unavailableModels: UnavailableModels
  /** True if a request goes on to another model after this error. Default: always. */
  movesOn?: (error: SpeechError) => boolean
  /** The setting that has the list. */
  setting: string
  /** Blocks a provider that refuses its key or has an unpaid bill for a minute, and a throttling model for some seconds. */
  avoidsRefusals?: boolean
}

export interface ModelList<Model> {
  /**
   * Resolves with the answer of the first model that gives one. An unavailable model costs one request, however many arrive
   * at once. `onAccepted`: the model exists and the key is valid, though the answer is not there yet. When all models fail,
   * the error is the one that the user can do most about. A model that `refuse` has an error for is passed over.
   * `onPassedOver` receives each model that did not answer.
   */
  ask<Answer>(
    attempt: (model: Model, onAccepted: () => void) => Promise<Answer>,
    signal: AbortSignal,
    refuse?: (model: Model) => Promise<SpeechError | undefined> | SpeechError | undefined,
    onPassedOver?: (model: Model, error: SpeechError) => void,
  ): Promise<Answer>
}

interface Member<Model> {
  model: Model
  breaker: CircuitBreaker
}

/** How long a model that throttles is skipped, at least. */
const throttledMs = 10_000

interface Failure {
  model: string
  error: SpeechError
}

/** Takes at least one model. */
export function modelList<Model extends ListedModel>(
  models: readonly Model[],
  {
    unavailableModels,
    setting,
    movesOn = () => true,
    avoidsRefusals = false,
    ...breakerOptions
  }: ModelListOptions,
): ModelList<Model> {
  const members = models.map(
    (model): Member<Model> => ({ model, breaker: createCircuitBreaker(breakerOptions) }),
  )

  async function askMember<Answer>(
    member: Member<Model>,
    attempt: (model: Model, onAccepted: () => void) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { model, breaker } = member
    if (await unavailableModels.has(model.key)) throw unavailable(model, setting)
    const permit = await breaker.acquire(signal)
    if (isSpeechError(permit)) throw permit
    try {
      const answer = await attempt(model, () => permit.succeed())
      permit.succeed()
      return answer
    } catch (error) {
      if (!signal.aborted && isSpeechError(error)) await record(member, permit, error)
      throw error
    } finally {
      permit.release(signal.aborted)
    }
  }

  async function record(
    { model, breaker }: Member<Model>,
    permit: Permit,
    error: SpeechError,
  ): Promise<void> {
    if (error.code === 'MODEL_NOT_FOUND') {
      log.info('model-unavailable', { model: model.name })
      await unavailableModels.add(model.key)
    }
    if (isOfModel(error)) breaker.open(error)
    else if (error.scope === 'account') {
      const sameProvider = members.filter(other => other.model.provider === model.provider)
      if (avoidsRefusals) for (const member of sameProvider) member.breaker.open(error)
    } else if (error.code === 'THROTTLED') {
      // Retries were in vain. While there is another model, other requests need not find that out again.
      if (avoidsRefusals && model !== models.at(-1)) {
        breaker.open(error, Math.max(throttledMs, pauseMsOf(retryAfter(error))))
      }
    } else if (error.code === 'CONTENT_REFUSED' || error.code === 'PROVIDER_REFUSED') {
      // A provider that checks the content has accepted the model and the key.
      permit.succeed()
    }
  }

  return {
    async ask(attempt, signal, refuse = () => undefined, onPassedOver = () => {}) {
      const failures: Failure[] = []
      for (const member of members) {
        const { model } = member
        const refusal = await refuse(model)
        if (refusal) {
          failures.push({ model: model.name, error: refusal })
          continue
        }
        try {
          return await askMember(member, attempt, signal)
        } catch (error) {
          signal.throwIfAborted()
          if (!isSpeechError(error)) throw error
          log.info('model-skipped', { model: model.name, code: error.code })
          failures.push({ model: model.name, error })
          onPassedOver(model, error)
          if (!movesOn(error)) break
        }
      }
      throw allFailed(failures)
    },
  }
}

/** True where the error concerns one model: the same key may be allowed to use others. */
export function isOfModel(error: SpeechError): boolean {
  return error.scope === 'model'
}

/** Errors that a user can act on come first; an unavailable model matters only when all are. */
const byRelevance = [
  ...['KEY_REFUSED', 'ACCOUNT_IN_ARREARS', 'FREE_TIER_USED_UP', 'WRONG_BASE_URL', 'ACCESS_DENIED'],
  ...['CONTENT_REFUSED', 'THROTTLED', 'PROVIDER_REFUSED', 'PROVIDER_UNREACHABLE', 'PROVIDER_TIMEOUT'],
  ...['PROVIDER_FAILED', 'MODEL_NOT_FOUND', 'KEY_MISSING'],
]

function allFailed(failures: Failure[]): SpeechError {
  // Other errors are about the recording or its task.
  const rank = ({ error: { code } }: Failure) => {
    const place = byRelevance.indexOf(code)
    return place === -1 ? byRelevance.indexOf('MODEL_NOT_FOUND') - 0.5 : place
  }
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
      ...(failures.every(failure => failure.error.scope !== 'request') && { scope: 'account' }),
      cause: error,
    },
  )
}

/** The error that a model which is known to be gone would answer with. */
export function unavailable({ name }: Pick<ListedModel, 'name'>, setting: string): SpeechError {
  return new SpeechError(
    'MODEL_NOT_FOUND',
    `The model ${name} does not exist any more; it is tried again one day after that was found.`,
    { hint: `Set ${setting} to models that exist.`, scope: 'model' },
  )
}
