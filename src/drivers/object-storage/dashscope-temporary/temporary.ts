// Recordings in DashScope's temporary store, which needs no bucket: one upload for each model, expired after two days.
import { randomUUID } from 'node:crypto'
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import { type Deadline, deadlines } from '../../../domain/network/deadlines.ts'
import type { Proxies } from '../../../domain/network/proxies.ts'
import type { ObjectStorage } from '../../../domain/ports.ts'
import type { Dashscope } from '../../http/dashscope.ts'
import { createHttpClient } from '../../http/http.ts'
import { multipartForm } from '../../http/multipart-form.ts'
import { createAdaptiveRateLimiter } from '../../http/rate-limiter.ts'
import { retry } from '../../http/retry.ts'
import { rateLimiting } from '../../http/wrap.ts'
import { type Spool, withSpool } from './spool.ts'
import { requestUploadPolicy, type UploadPolicy } from './upload-policy.ts'

export interface TemporaryOptions {
  cloud: Dashscope
  proxies?: Proxies | undefined
  /** Pause before the second attempt. */
  firstDelaySeconds?: number
  /** Goes before the deadline of an upload. For tests. */
  deadline?: Partial<Deadline>
}

const maxConcurrentUploads = 16
/** Permissions for uploads: Model Studio allows 100 a second. */
const perMinute = 6_000
const maxAttempts = 4
const maxDelaySeconds = 8

/** The store offers neither list nor delete: objects expire by themselves. */
export function temporaryStorage({
  cloud,
  proxies,
  firstDelaySeconds = 0.5,
  deadline = {},
}: TemporaryOptions): ObjectStorage {
  /** The store has its own host, which must not receive the API key. */
  const http = createHttpClient({ connections: maxConcurrentUploads, proxies, deadline })
  /** Where the provider asks to wait, all uploads do. */
  const limited = rateLimiting(createAdaptiveRateLimiter({ perMinute, concurrency: maxConcurrentUploads }))

  /** A policy expires after five minutes, so each attempt requests its own. */
  async function uploadFor(model: string, spool: Spool, signal: AbortSignal): Promise<string> {
    try {
      return await retry(attempt, { maxAttempts, firstDelaySeconds, maxDelaySeconds, signal })
    } catch (error) {
      signal.throwIfAborted()
      const isFinal = !isSpeechError(error) || !error.retryable || error.code === 'UPLOAD_FAILED'
      throw isFinal ? error : unreachable(error)
    }

    async function attempt(number: number): Promise<string> {
      try {
        return await limited(
          async () => post(spool, await requestUploadPolicy(cloud, model, signal), signal),
          signal,
        )
      } catch (error) {
        signal.throwIfAborted()
        // The store refuses an expired policy with 403. A second refusal has another reason.
        if (number > 1 && isForbidden(error)) throw refused(403, false)
        throw error
      }
    }
  }

  async function post(spool: Spool, policy: UploadPolicy, signal: AbortSignal): Promise<string> {
    if (spool.bytes > policy.maxBytes) throw tooLarge(policy.maxBytes)
    const name = `${randomUUID()}.mp3`
    const key = `${policy.folder}/${name}`
    const { contentType, body } = multipartForm(Object.entries(policy.fields(key)), {
      ...spool,
      name,
      type: 'audio/mpeg',
    })
    const headers = { 'content-type': contentType, accept: '*/*' }
    const { status, retryAfterSeconds } = await http.request({
      method: 'POST',
      url: policy.host,
      headers,
      body,
      deadline: deadlines.upload,
      signal,
    })
    if (status === 200 || status === 204) return key
    throw refused(status, [403, 408, 429].includes(status) || status >= 500, retryAfterSeconds)
  }

  return {
    way: 'temporary',
    upload: (audio, { models, scratch }, signal) =>
      withSpool(audio, scratch, signal, async spool => {
        const stop = new AbortController()
        const either = AbortSignal.any([signal, stop.signal])
        const uploads = models.map(async model => [model, await uploadFor(model, spool, either)] as const)
        try {
          return { way: 'temporary', keys: Object.fromEntries(await Promise.all(uploads)) }
        } catch (error) {
          stop.abort(error)
          // The spool file must outlive every upload that reads it.
          await Promise.allSettled(uploads)
          throw error
        }
      }),
    signedUrl: async ({ keys }, model) => `oss://${keys[model]}`,
    delete: async () => {},
    sweep: async () => 0,
    close: http.close,
  }
}

function refused(status: number, retryable: boolean, retryAfter?: number): SpeechError {
  return new SpeechError('UPLOAD_FAILED', `DashScope’s temporary store rejected the recording (${status}).`, {
    hint: 'Call again in a minute, or set OSS_BUCKET to upload to your own bucket.',
    retryable,
    cause: { status, retryAfter },
  })
}

function isForbidden(error: unknown): boolean {
  return isSpeechError(error) && (error.cause as { status?: unknown } | undefined)?.status === 403
}

function unreachable(cause: SpeechError): SpeechError {
  return new SpeechError('UPLOAD_FAILED', 'DashScope’s temporary store could not be reached.', {
    hint: 'Check the network, proxy and firewall, then call again.',
    retryable: true,
    cause,
  })
}

function tooLarge(maxBytes: number): SpeechError {
  const megabytes = Math.floor(maxBytes / 1024 / 1024)
  const message = `DashScope’s temporary store accepts at most ${megabytes} MB for this model.`
  return new SpeechError('TOO_LARGE', message, {
    hint: 'Set OSS_BUCKET to upload to your own bucket, or shorten the recording.',
  })
}
