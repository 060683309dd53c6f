// Text models as one: each request goes to the first that is not gone, and on to the next where one fails.
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
import { createDoor, type Door, type DoorOptions, type Visit } from './circuit-breaker.ts'
import { acceptedOnce, type ProviderModel } from './provider-model.ts'

export interface FallbackOptions extends DoorOptions {
  unavailableModels: UnavailableModels
}

interface Member {
  model: ProviderModel
  door: Door
}

/** Milliseconds for which a model that throttles is passed over. */
const busyFor = 10_000

interface Failure {
  model: string
  error: SpeechError
}

/**
 * A model that is gone is retired, and costs one request however many come at once; a refused key or an unpaid bill closes
 * the provider for a minute. Whatever else a model fails with is that request's affair. There must be one model at least.
 * Where all have failed, the error is that of the one whose reader can do most about it.
 */
export function fallback(
  models: ProviderModel[],
  { unavailableModels, ...options }: FallbackOptions,
): TextModel {
  const members = models.map((model): Member => ({ model, door: createDoor(options) }))

  async function ask(member: Member, request: TextRequest, listener: GenerateOptions): Promise<TextAnswer> {
    const { model, door } = member
    const { signal } = listener
    if (await unavailableModels.has(model.key)) throw gone(model)
    const visit = await door.enter(signal)
    if (isSpeechError(visit)) throw visit
    try {
      const onAccepted = () => {
        visit.lives()
        listener.onAccepted?.()
      }
      const answer = await model.generate(request, { ...listener, onAccepted })
      onAccepted()
      return answer
    } catch (error) {
      if (!signal.aborted && isSpeechError(error)) await learn(member, visit, error)
      throw error
    } finally {
      visit.leave(signal.aborted)
    }
  }

  async function learn({ model, door }: Member, visit: Visit, error: SpeechError): Promise<void> {
    if (error.code === 'MODEL_NOT_FOUND') {
      log.info('text-model-gone', { model: model.name })
      await unavailableModels.add(model.key)
    }
    if (error.scope === 'account') {
      const shares = (other: Member) => other.model.provider === model.provider
      for (const each of isOfModel(error) ? [{ door }] : members.filter(shares)) each.door.shut(error)
    } else if (error.code === 'THROTTLED') {
      // It was tried again in vain; as long as there is another one, other requests need not find out by themselves.
      if (model !== models.at(-1)) door.shut(error, busyFor)
    } else if (error.code === 'CONTENT_REFUSED' || error.code === 'PROVIDER_REFUSED') {
      // Whoever looks into a request has found the model and the key good.
      visit.lives()
    }
  }

  return {
    models: models.flatMap(model => model.models),
    concurrency: Math.max(...models.map(({ concurrency }) => concurrency)),
    async generate(request, listener) {
      const once = acceptedOnce(listener)
      const failures: Failure[] = []
      for (const member of members) {
        try {
          return await ask(member, request, once)
        } catch (error) {
          listener.signal.throwIfAborted()
          if (!isSpeechError(error)) throw error
          log.info('text-model-passed-over', { model: member.model.name, code: error.code })
          failures.push({ model: member.model.name, error })
        }
      }
      throw allFailed(failures)
    },
  }
}

/** Other models of the provider may be open to the same key. */
function isOfModel(error: SpeechError): boolean {
  const { code } = error
  if (code === 'MODEL_NOT_FOUND' || code === 'ACCESS_DENIED') return true
  return errorResponseOf(error)?.code === 'AllocationQuota.FreeTierOnly'
}

/** What a reader can do something about comes first; that a model is gone matters only where all are. */
const telling = [
  ...['KEY_REFUSED', 'ACCOUNT_IN_ARREARS', 'WRONG_BASE_URL', 'ACCESS_DENIED', 'CONTENT_REFUSED', 'THROTTLED'],
  ...['PROVIDER_REFUSED', 'PROVIDER_UNREACHABLE', 'PROVIDER_TIMEOUT', 'PROVIDER_FAILED', 'MODEL_NOT_FOUND'],
]

function allFailed(failures: Failure[]): SpeechError {
  const rank = ({ error }: Failure) =>
    (telling.indexOf(error.code) + telling.length + 1) % (telling.length + 1)
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

function gone({ name }: ProviderModel): SpeechError {
  return new SpeechError(
    'MODEL_NOT_FOUND',
    `The model ${name} is gone, and is asked again a day after it was found out.`,
    {
      hint: 'Set FORMAT_MODELS to models that exist.',
      scope: 'account',
    },
  )
}
