// Models that no longer exist, remembered in the store for a day.
import type { UnavailableModels } from '../../domain/models/model.ts'
import type { Store } from '../../domain/ports.ts'
import { log } from '../../log.ts'

const dayMs = 86_400_000
/** How long a value read from the store is trusted: another process may find a model unavailable. */
const freshMs = 60_000

/** No user can have this name: user names consist of letters, digits and `_ . @ -`. */
const owner = '(text models)'

interface Known {
  /** Undefined while the model is available. */
  until: number | undefined
  readAt: number
}

export interface UnavailableModelsOptions {
  /** Milliseconds since 1970. */
  now?: () => number
}

export function unavailableModels(
  store: Pick<Store, 'getCheckpoint' | 'putCheckpoint'>,
  { now = Date.now }: UnavailableModelsOptions = {},
): UnavailableModels {
  const known = new Map<string, Known>()
  const reading = new Map<string, Promise<void>>()

  async function read(model: string): Promise<void> {
    const value = await store.getCheckpoint(owner, model).catch(error => {
      log.info('unavailable-models-not-read', { code: (error as { code?: string }).code })
      return undefined
    })
    // This process may have added it during the read.
    if (isUnavailable(known.get(model))) return
    const until = (value as { until?: unknown } | null | undefined)?.until
    known.set(model, { until: typeof until === 'number' ? until : undefined, readAt: now() })
  }

  /** An expiry more than a day ahead was written with a wrong clock. */
  function isUnavailable(entry: Known | undefined): boolean {
    return entry?.until !== undefined && now() < entry.until && entry.until <= now() + dayMs
  }

  return {
    async has(model) {
      const entry = known.get(model)
      if (isUnavailable(entry)) return true
      if (entry && Math.abs(now() - entry.readAt) < freshMs) return false
      const underWay =
        reading.get(model) ??
        read(model).finally(() => {
          reading.delete(model)
        })
      reading.set(model, underWay)
      await underWay
      return isUnavailable(known.get(model))
    },
    async add(model) {
      const until = now() + dayMs
      known.set(model, { until, readAt: now() })
      await store.putCheckpoint(owner, model, { until }, 'retirements').catch(error => {
        log.warn('unavailable-model-not-stored', { code: (error as { code?: string }).code })
      })
    },
  }
}
