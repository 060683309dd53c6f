// Contract of a probe: asks one configured model whether it exists.
import type { ErrorCode } from '../errors.ts'
import type { Model, ModelRole } from './model.ts'

export interface ModelProbe {
  model: Model
  /** Its purposes in this configuration. */
  roles: ModelRole[]
  /** Sends at most one request, and none for a model that is known to be gone. Never rejects. */
  ask(signal: AbortSignal): Promise<ModelState>
}

export interface ModelState {
  /** `unfit`: known for other work alone, and therefore not asked. */
  state: 'alive' | 'gone' | 'refused' | 'unfit' | 'not asked'
  /** Code of the error. */
  code?: ErrorCode
  /** Status and code in the provider's words, or why it was not asked. */
  detail?: string
}
