// Models that the services no longer offer, and the forms in which they say so.
import type { CloudError } from '../errors.ts'

/** DashScope's forms: the classic code in the message, a top-level 404, or an error object of a gateway. */
export type GoneForm = 'notExist400' | 'topLevel404' | 'nested404' | 'nested400'

/** Gemini's forms: a model that new keys do not get, or one that is unknown. */
export type GeminiGoneForm = 'newUsers' | 'notFound'

export interface GoneOptions {
  /** May change while requests and tasks run; default: `defaultGoneModels`. */
  goneModels?: string[]
  /** Default: `notExist400`. */
  goneForm?: GoneForm
  /** Default: `newUsers`, as recorded since summer 2026. */
  geminiGoneForm?: GeminiGoneForm
}

export type GoneSettings = Required<GoneOptions>

/** Ended in Beijing and Singapore by 2026-10-10 (notice 731). */
export const defaultGoneModels = ['qwen-turbo', 'qwen-turbo-latest']

/** Retired in China on 2026-10-10 (notice 118434); the international notice does not list them. */
export const retiredInChina = [
  ...['fun-asr-mtl', 'fun-asr-mtl-2025-08-25', 'fun-asr-2025-08-25', 'fun-asr-2025-11-07'],
  ...['qwen3-asr-flash-2025-09-08', 'qwen3-asr-flash-2026-02-10', 'qwen3-asr-flash-filetrans-2025-11-17'],
]

export function goneSettings(options: GoneOptions): GoneSettings {
  const { goneModels = defaultGoneModels, goneForm = 'notExist400', geminiGoneForm = 'newUsers' } = options
  return { goneModels, goneForm, geminiGoneForm }
}

/** Changes the given settings only. */
export function changeGone(settings: GoneSettings, changes: GoneOptions): void {
  for (const name of ['goneModels', 'goneForm', 'geminiGoneForm'] as const) {
    if (changes[name] !== undefined) Object.assign(settings, { [name]: changes[name] })
  }
}

/** DashScope's refusal of a model that is gone; undefined for any other. */
export function goneError({ goneModels, goneForm }: GoneSettings, model: unknown): CloudError | undefined {
  if (typeof model !== 'string' || !goneModels.includes(model)) return undefined
  return forms[goneForm](model)
}

const forms: Record<GoneForm, (model: string) => CloudError> = {
  notExist400: () => ({ status: 400, code: 'InvalidParameter', message: 'Model not exist.' }),
  topLevel404: () => ({ status: 404, code: 'ModelNotFound', message: 'Model can not be found.' }),
  nested404: model => ({
    status: 404,
    code: 'model_not_found',
    message: `model '${model}' not found or no enabled endpoints`,
    nested: true,
  }),
  nested400: () => ({ status: 400, code: 'model_not_found', message: 'Model not exist.', nested: true }),
}
