// Contract of a list of models for whole files.
import type { SpeechError } from '../errors.ts'
import type { FileRecogniser } from '../ports.ts'

/** The models of one role, in the order of preference. */
export interface FileRecogniserList {
  /** At least one. */
  readonly members: readonly FileRecogniser[]
  /** Without the models that an answer called gone during the last day. */
  available(): Promise<FileRecogniser[]>
  /**
   * Resolves with the first success. An attempt that finds its model gone, or not allowed, is followed by one with the next
   * model; any other error is thrown. `onAccepted`: the model exists. A model that `refuse` has an error for is passed over.
   * `onPassedOver` receives each model that did not answer.
   */
  ask<Answer>(
    attempt: (recogniser: FileRecogniser, onAccepted: () => void) => Promise<Answer>,
    signal: AbortSignal,
    refuse?: (recogniser: FileRecogniser) => SpeechError | undefined,
    onPassedOver?: (recogniser: FileRecogniser, error: SpeechError) => void,
  ): Promise<Answer>
}
