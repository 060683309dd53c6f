// The key in the bucket of a team: the first server that needs it draws it, the others read it.
import { randomBytes } from 'node:crypto'
import type OSS from 'ali-oss'
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import { isSecretKey, type SecretKey, secretKeyBytes } from '../../../domain/network/secret-key.ts'
import { pageKeyKey } from '../keys.ts'
import type { OssSession } from './client.ts'
import { exists, isGone } from './errors.ts'
import { type OssOptions, ossSessions } from './oss.ts'

export interface KeyInOssOptions extends OssOptions {
  installation: string
  /** The current time in milliseconds. */
  now?: () => number
}

/** A rule of the bucket may delete what is a day old, so a key that is used is stored again. */
const renewAfterMs = 6 * 3600 * 1000
/** Callers wait for it. */
const maxWaitMs = 5_000
/** So long the error is repeated, or the key that is known is used, before the bucket is asked again. */
const pauseMs = 30_000

/** Throws the errors of the bucket. */
export function keyInOss({ installation, now = Date.now, ...options }: KeyInOssOptions): SecretKey {
  const { withSession, close } = ossSessions(options)
  const name = pageKeyKey(installation)
  let known: Uint8Array | undefined
  let current: Promise<Uint8Array> | undefined
  let askAgainAt = 0
  let hasFailed = false

  async function read(session: OssSession, signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const { content } = await session.request(client => client.get(name), signal)
      if (isSecretKey(content as Buffer)) return content as Buffer
    } catch (error) {
      if (isSpeechError(error) && isGone(error)) return undefined
      throw error
    }
    throw new SpeechError('BUCKET_REFUSED', 'The key of pages in the bucket is damaged.', {
      hint: `Delete the object ${name}; addresses of pages that were given out end with it.`,
    })
  }

  /** Two servers may draw one at the same time: OSS keeps the first. */
  async function storeFirst(session: OssSession, key: Uint8Array, signal: AbortSignal): Promise<void> {
    const onlyIfNew: OSS.PutObjectOptions = { headers: { 'x-oss-forbid-overwrite': 'true' } }
    try {
      await session.request(client => client.put(name, Buffer.from(key), onlyIfNew), signal)
    } catch (error) {
      if (!isSpeechError(error) || !exists(error)) throw error
    }
  }

  async function agree(session: OssSession, signal: AbortSignal): Promise<Uint8Array> {
    const found = await read(session, signal)
    if (!found) await storeFirst(session, known ?? randomBytes(secretKeyBytes), signal)
    else await session.request(client => client.put(name, Buffer.from(found)), signal)
    const agreed = found ?? (await read(session, signal))
    if (!agreed) throw unanswered()
    // The same object for the same key.
    known = known && Buffer.compare(known, agreed) === 0 ? known : agreed
    return known
  }

  async function ask(): Promise<Uint8Array> {
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(unanswered()), maxWaitMs)
    try {
      askAgainAt = now() + renewAfterMs
      const agreed = await withSession(session => agree(session, limit.signal))
      hasFailed = false
      return agreed
    } catch (error) {
      askAgainAt = now() + pauseMs
      hasFailed = true
      if (known) return known
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    get() {
      if (!current || now() >= askAgainAt) current = ask()
      // A bucket that hangs holds up one round of callers, not all.
      return hasFailed && known ? Promise.resolve(known) : current
    },
    close,
  }
}

function unanswered(): SpeechError {
  return new SpeechError('UPLOAD_FAILED', 'The bucket does not answer in time.', {
    hint: 'Check the network and OSS_ENDPOINT; call again in a minute.',
    retryable: true,
  })
}
