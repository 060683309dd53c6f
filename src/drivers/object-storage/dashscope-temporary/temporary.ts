// Recordings in the provider's own store, for those who have no bucket: one upload for each model, gone after two days.
import { randomUUID } from 'node:crypto'
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import type { ObjectStorage } from '../../../domain/ports.ts'
import { log } from '../../../log.ts'
import type { Dashscope } from '../../http/dashscope.ts'
import { createHttpClient } from '../../http/http.ts'
import { pause, stoppable } from '../abortable.ts'
import { uploadForm } from './multipart-form.ts'
import { type Spool, withSpool } from './spool.ts'
import { type UploadPolicy, uploadPolicy } from './upload-policy.ts'

export interface TemporaryOptions {
  cloud: Dashscope
  /** Seconds before a second attempt. */
  firstDelaySeconds?: number
}

const attempts = 4

/** Nothing in this store can be listed or removed: it empties itself. */
export function temporaryStorage({ cloud, firstDelaySeconds = 0.5 }: TemporaryOptions): ObjectStorage {
  /** The store has an address of its own, and no key goes there. */
  const http = createHttpClient({ connections: 16 })

  /** The leave ends after five minutes, so each attempt begins with a new one, which is as late as can be. */
  async function store(spool: Spool, model: string, signal: AbortSignal): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await post(spool, await uploadPolicy(cloud, model, signal), signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!isSpeechError(error) || !error.retryable) throw error
        // A leave that has expired is refused in this way; refused again, it is something else.
        if (isForbidden(error) && attempt > 1) throw refused(403, false)
        if (attempt >= attempts) throw error.code === 'UPLOAD_FAILED' ? error : unreachable(error)
        log.info('retry', { code: error.code, attempt })
        await pause(attempt, firstDelaySeconds, signal)
      }
    }
  }

  async function post(spool: Spool, policy: UploadPolicy, signal: AbortSignal): Promise<string> {
    if (spool.bytes > policy.maxBytes) throw tooLarge(policy.maxBytes)
    const name = `${randomUUID()}.mp3`
    const key = `${policy.folder}/${name}`
    const { contentType, body } = uploadForm(policy.fields(key), { ...spool, name, type: 'audio/mpeg' })
    const headers = { 'content-type': contentType, accept: '*/*' }
    const { status } = await http.request({ method: 'POST', url: policy.host, headers, body, signal })
    if (status === 200 || status === 204) return key
    throw refused(status, [403, 408, 429].includes(status) || status >= 500)
  }

  return {
    way: 'temporary',
    upload: (audio, { models, scratch }, signal) =>
      withSpool(audio, scratch, signal, async spool => {
        const { stop, release } = stoppable(signal)
        const uploads = models.map(async model => [model, await store(spool, model, stop.signal)] as const)
        try {
          return { way: 'temporary', keys: Object.fromEntries(await Promise.all(uploads)) }
        } catch (error) {
          stop.abort(error)
          // The file is read until the last of them has ended.
          await Promise.allSettled(uploads)
          throw error
        } finally {
          release()
        }
      }),
    signedUrl: async ({ keys }, model) => `oss://${keys[model]}`,
    delete: async () => {},
    sweep: async () => 0,
    close: http.close,
  }
}

function refused(status: number, retryable: boolean): SpeechError {
  return new SpeechError('UPLOAD_FAILED', `DashScope’s store did not take the recording (${status}).`, {
    hint: 'Call again in a minute, or set OSS_BUCKET to upload into a bucket of your own.',
    retryable,
    cause: { status },
  })
}

function isForbidden({ cause }: SpeechError): boolean {
  return (cause as { status?: unknown } | undefined)?.status === 403
}

function unreachable(cause: SpeechError): SpeechError {
  return new SpeechError('UPLOAD_FAILED', 'DashScope’s store for recordings could not be reached.', {
    hint: 'Check the network, a proxy or firewall; then call again.',
    retryable: true,
    cause,
  })
}

function tooLarge(most: number): SpeechError {
  const megabytes = Math.floor(most / 1024 / 1024)
  return new SpeechError('TOO_LARGE', `DashScope’s store takes at most ${megabytes} MB for this model.`, {
    hint: 'Set OSS_BUCKET to upload into a bucket of your own, or give a shorter recording.',
  })
}
