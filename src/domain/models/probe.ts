// Contract of a probe: asks one configured model whether it exists.
import type { Model, ModelRole } from './model.ts'

export interface ModelProbe {
  model: Model
  /** Its purposes in this configuration. */
  roles: ModelRole[]
  /** Sends at most one request, and none for a model that is known to be gone. Never rejects. */
  ask(signal: AbortSignal): Promise<ModelState>
}

export interface ModelState {
  state: 'alive' | 'gone' | 'refused' | 'not asked'
  /** Code of the error. */
  code?: string
  /** Status and code in the provider's words, or why it was not asked. */
  detail?: string
}
