// Which models are gone, kept in the store for a day.
import type { Store } from '../../domain/ports.ts'
import type { UnavailableModels } from '../../domain/text-model.ts'
import { log } from '../../log.ts'

const day = 86_400_000
/** How long an answer of the store is believed: another process may have found a model gone. */
const freshFor = 60_000

/** Not the name of any user: those are made of letters, digits and `_ . @ -`. */
const owner = '(text models)'

interface Known {
  /** Undefined while the model is not retired. */
  until: number | undefined
  readAt: number
}

export interface RetirementsOptions {
  /** Milliseconds since 1970. */
  now?: () => number
}

export function unavailableModels(
  store: Pick<Store, 'getCheckpoint' | 'putCheckpoint'>,
  { now = Date.now }: RetirementsOptions = {},
): UnavailableModels {
  const known = new Map<string, Known>()
  const reading = new Map<string, Promise<void>>()

  async function read(model: string): Promise<void> {
    const value = await store.getCheckpoint(owner, model).catch(error => {
      log.info('retirements-unread', { code: (error as { code?: string }).code })
      return undefined
    })
    // It may have been retired here while the store was asked.
    if (isRetired(known.get(model))) return
    const until = (value as { until?: unknown } | null | undefined)?.until
    known.set(model, { until: typeof until === 'number' ? until : undefined, readAt: now() })
  }

  /** An end more than a day ahead was written by a clock that was wrong. */
  function isRetired(entry: Known | undefined): boolean {
    return entry?.until !== undefined && now() < entry.until && entry.until <= now() + day
  }

  return {
    async has(model) {
      const entry = known.get(model)
      if (isRetired(entry)) return true
      if (entry && Math.abs(now() - entry.readAt) < freshFor) return false
      const underWay =
        reading.get(model) ??
        read(model).finally(() => {
          reading.delete(model)
        })
      reading.set(model, underWay)
      await underWay
      return isRetired(known.get(model))
    },
    async add(model) {
      const until = now() + day
      known.set(model, { until, readAt: now() })
      await store.putCheckpoint(owner, model, { until }, 'retirements').catch(error => {
        log.warn('retirement-unstored', { code: (error as { code?: string }).code })
      })
    },
  }
}
