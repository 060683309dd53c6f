// Asks a model once, and reads from its answer whether it exists and how it refuses.
import { codeOf } from '../../domain/errors.ts'
import type { UnavailableModels } from '../../domain/models/model.ts'
import type { ModelState } from '../../domain/models/probe.ts'
import { errorResponseOf } from '../http/dashscope-errors.ts'

/** `request` sends one request; its errors become the state. A model that is gone is remembered. */
export async function probe(
  key: string,
  request: () => Promise<unknown>,
  unavailableModels: UnavailableModels,
): Promise<ModelState> {
  if (await unavailableModels.has(key))
    return { state: 'gone', code: 'MODEL_NOT_FOUND', detail: 'found within the last day' }
  try {
    await request()
    return { state: 'alive' }
  } catch (error) {
    const code = (error as Error).name === 'TimeoutError' ? 'PROVIDER_TIMEOUT' : codeOf(error)
    // The address is refused after the model is found.
    if (code === 'UPLOAD_UNREACHABLE') return { state: 'alive' }
    if (code === 'KEY_MISSING') return { state: 'not asked', code, detail: 'no key' }
    const answer = errorResponseOf(error)
    const detail = answer && [answer.status, answer.wrongRoute ? 'wrong route' : answer.code].join(' ').trim()
    if (code === 'MODEL_NOT_FOUND') await unavailableModels.add(key)
    return { state: code === 'MODEL_NOT_FOUND' ? 'gone' : 'refused', code, ...(detail && { detail }) }
  }
}
