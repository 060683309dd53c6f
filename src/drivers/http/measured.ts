// Measures requests to a provider: the duration and the outcome of each.
import { isSpeechError } from '../../domain/errors.ts'
import type { Meter } from '../../domain/meter.ts'

/** A request that its caller aborts is not counted. */
export async function measureRequest<T>(
  meter: Meter,
  model: string,
  signal: AbortSignal,
  request: () => Promise<T>,
): Promise<T> {
  const started = performance.now()
  const count = (outcome: string) => {
    if (!signal.aborted)
      meter.requestFinished({ model, seconds: (performance.now() - started) / 1000, outcome })
  }
  try {
    const result = await request()
    count('ok')
    return result
  } catch (error) {
    count(isSpeechError(error) ? error.code : 'INTERNAL')
    throw error
  }
}
