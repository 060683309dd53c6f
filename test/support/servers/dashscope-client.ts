// Shared by the tests of DashScope's drivers: a key, a chunk of audio, a signal that never aborts, a recogniser.

import { setMaxListeners } from 'node:events'
import { knownModels } from '../../../src/domain/models/catalog.ts'
import type { Recogniser, RecognitionRequest } from '../../../src/domain/ports.ts'
import { chunkAsr } from '../../../src/drivers/asr/chunk-asr.ts'
import { dashscope } from '../../../src/drivers/http/dashscope.ts'
import type { HttpClient } from '../../../src/drivers/http/http.ts'

export const apiKey = 'sk-secret-key'
export const path = '/services/aigc/multimodal-generation/generation'
export const never = new AbortController().signal
setMaxListeners(0, never)

export const chunk: RecognitionRequest = { audio: Buffer.from('audio'), mime: 'audio/mpeg', seconds: 5 }
export const success = (message: object) => ({ output: { choices: [{ finish_reason: 'stop', message }] } })

export function recogniserOf(
  http: HttpClient,
  { baseUrl, ...options }: { baseUrl: string; key?: string | undefined },
): Recogniser {
  const key = 'key' in options ? options.key : apiKey
  return chunkAsr(dashscope({ apiKey: key, baseUrl, http }), {
    model: knownModels.find('qwen3-asr-flash', 'chunk'),
    concurrency: 3,
  })
}
