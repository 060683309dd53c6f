// Which models are gone, kept in the store for a day.
import type { Store } from '../../domain/ports.ts'
import type { Retirements } from '../../domain/text-model.ts'

export function retirements(_store: Pick<Store, 'getCheckpoint' | 'putCheckpoint'>): Retirements {
  return { isRetired: async () => false, retire: async () => {} }
}
