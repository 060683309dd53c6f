// The key in the bucket of a team: the first server that needs it draws it, the others read it.
import { randomBytes } from 'node:crypto'
import type OSS from 'ali-oss'
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import { isSecretKey, type SecretKey, secretKeyBytes } from '../../../domain/network/secret-key.ts'
import { pageKeyKey } from '../keys.ts'
import type { OssSession } from './client.ts'
import { exists, isGone } from './errors.ts'
import { type OssOptions, ossSessions } from './oss.ts'

/** Throws the errors of the bucket; the next call tries again. */
export function keyInOss({ installation, ...options }: OssOptions & { installation: string }): SecretKey {
  const { withSession, close } = ossSessions(options)
  const name = pageKeyKey(installation)
  const forEver = new AbortController().signal
  let known: Promise<Uint8Array> | undefined

  async function read(session: OssSession): Promise<Uint8Array | undefined> {
    try {
      const { content } = await session.request(client => client.get(name), forEver)
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
  async function draw(session: OssSession): Promise<void> {
    const drawn = randomBytes(secretKeyBytes)
    const onlyIfNew: OSS.PutObjectOptions = { headers: { 'x-oss-forbid-overwrite': 'true' } }
    try {
      await session.request(client => client.put(name, drawn, onlyIfNew), forEver)
    } catch (error) {
      if (!isSpeechError(error) || !exists(error)) throw error
    }
  }

  async function readOrDraw(): Promise<Uint8Array> {
    return withSession(async session => {
      const found = await read(session)
      if (found) return found
      await draw(session)
      // Its own key is no proof: what all servers will read counts.
      return (await read(session)) ?? Promise.reject(new Error('The key of pages was not stored.'))
    })
  }

  return {
    get() {
      known ??= readOrDraw()
      known.catch(() => {
        known = undefined
      })
      return known
    },
    close,
  }
}
