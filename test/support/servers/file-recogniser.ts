// Shared by the tests of file recognition: a recogniser of a test server, and errors checked for secrets.

import { expect } from 'vitest'
import { describeError, SpeechError } from '../../../src/domain/errors.ts'
import { knownModels } from '../../../src/domain/models/catalog.ts'
import type { FileRecogniser } from '../../../src/domain/ports.ts'
import { fileAsr } from '../../../src/drivers/asr/file-asr/file-asr.ts'
import type { FileRole } from '../../../src/drivers/asr/file-asr/requests.ts'
import { dashscope } from '../../../src/drivers/http/dashscope.ts'
import type { HttpClient } from '../../../src/drivers/http/http.ts'
import { apiKey, never } from './dashscope-client.ts'

export const signature = 'SIGNATURE'
export const url = `https://bucket.oss-eu-central-1.aliyuncs.com/jobs/a.mp3?x-oss-signature=${signature}`
export const submitted = { output: { task_status: 'PENDING', task_id: 'c2e5d63b' }, request_id: '77ae55ae' }

export interface RecogniserOptions {
  http: HttpClient
  baseUrl: string
  model?: string
  role?: FileRole
  key?: string | undefined
}

export function fileRecogniserOf({
  http,
  baseUrl,
  model = 'fun-asr-mtl',
  role = 'speakers',
  ...options
}: RecogniserOptions): FileRecogniser {
  const cloud = dashscope({ apiKey: 'key' in options ? options.key : apiKey, baseUrl, http })
  return fileAsr({ cloud, http, model: knownModels.find(model, role), role })
}

/** The error of work that must fail; it reveals neither the key nor the address nor the provider's words. */
export async function safeFailure(work: Promise<unknown>): Promise<SpeechError> {
  const error = await work.then(
    value => new Error(`It did not fail: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
  return withoutSecrets(error)
}

/** The error with which a task failed, by its status. */
export async function taskFailure(recogniser: FileRecogniser): Promise<SpeechError> {
  const status = await recogniser.status('t', never)
  if (status.state !== 'failed') throw new Error(`It did not fail: ${JSON.stringify(status)}`)
  return withoutSecrets(status.error)
}

function withoutSecrets(error: unknown): SpeechError {
  expect(error).toBeInstanceOf(SpeechError)
  const { cause } = error as SpeechError
  for (const secret of [apiKey, signature, 'PRIVATE'])
    for (const text of [describeError(error), JSON.stringify(cause ?? ''), String(cause)])
      expect(text).not.toContain(secret)
  return error as SpeechError
}
