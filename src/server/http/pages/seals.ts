// Sealed texts, for addresses and cookies: the server alone can read, make or change them, and each ends.
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'
import { codeOf, SpeechError } from '../../../domain/errors.ts'

const purposes = ['page', 'session', 'way'] as const
/**
 * A text sealed for one purpose opens for no other. `page`: one transcript; `session`: an owner who has signed in; `way`:
 * somebody who is on the way to an identity provider and back.
 */
export type Purpose = (typeof purposes)[number]

export interface Opened {
  payload: string
  /** Milliseconds since 1970. */
  endsAt: number
}

/** The code is that of the cause, whose words are for the owner of the server. */
export class KeyUnavailable extends SpeechError {
  constructor(cause: unknown) {
    const hint = 'Try again in a minute.'
    super(codeOf(cause), 'The key of the server cannot be read at the moment.', { hint, cause })
  }
}

export interface Seals {
  /**
   * Letters, digits, `-` and `_`. `endsAt` counts in seconds; the same arguments give the same text. Rejects with `KeyUnavailable`,
   * and a payload of about 3,000 bytes.
   */
  seal(purpose: Purpose, payload: string, endsAt: number): Promise<string>
  /** Rejects as `seal` does. `ended` for a text whose time is over at `now`; undefined for every text that `seal` did not make. */
  open(purpose: Purpose, text: string, now: number): Promise<Opened | 'ended' | undefined>
}

const nonceBytes = 12
const tagBytes = 16
const endBytes = 6
/** A cookie has at most 4,096 bytes. */
const maxTextChars = 4_000

interface Keys {
  forText: Buffer
  forNonce: Buffer
}

/** `readKey` gives 32 random bytes, the same object for the same key; it is called with each text. */
export function createSeals(readKey: () => Promise<Uint8Array>): Seals {
  const derived = new WeakMap<Uint8Array, Record<Purpose, Keys>>()

  async function keys(): Promise<Record<Purpose, Keys>> {
    const key = await readKey().catch(error => {
      throw new KeyUnavailable(error)
    })
    const known = derived.get(key) ?? allKeys(key)
    derived.set(key, known)
    return known
  }

  return {
    async seal(purpose, payload, endsAt) {
      const { forText, forNonce } = (await keys())[purpose]
      const end = Buffer.alloc(endBytes)
      end.writeUIntBE(Math.floor(endsAt / 1000), 0, endBytes)
      const plain = Buffer.concat([end, Buffer.from(payload)])
      // A nonce may serve for one text only: it is a keyed hash of that text.
      const nonce = createHmac('sha256', forNonce).update(plain).digest().subarray(0, nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', forText, nonce)
      const hidden = Buffer.concat([cipher.update(plain), cipher.final()])
      const text = Buffer.concat([nonce, hidden, cipher.getAuthTag()]).toString('base64url')
      if (text.length > maxTextChars) throw new Error('The text is too long for an address or a cookie.')
      return text
    },

    async open(purpose, text, now) {
      if (text.length > maxTextChars) return undefined
      const bytes = Buffer.from(text, 'base64url')
      // Unused bits of the last letter, and letters that are none, would make several texts of one.
      if (bytes.toString('base64url') !== text) return undefined
      if (bytes.length < nonceBytes + endBytes + tagBytes) return undefined
      const { forText } = (await keys())[purpose]
      const decipher = createDecipheriv('aes-256-gcm', forText, bytes.subarray(0, nonceBytes))
      decipher.setAuthTag(bytes.subarray(-tagBytes))
      const plain = decipher.update(bytes.subarray(nonceBytes, -tagBytes))
      try {
        decipher.final()
      } catch {
        return undefined
      }
      const endsAt = plain.readUIntBE(0, endBytes) * 1000
      return now < endsAt ? { payload: plain.toString('utf8', endBytes), endsAt } : 'ended'
    },
  }
}

function allKeys(key: Uint8Array): Record<Purpose, Keys> {
  const pairs = purposes.map(purpose => [purpose, keysFor(purpose, key)])
  return Object.fromEntries(pairs) as Record<Purpose, Keys>
}

function keysFor(purpose: Purpose, key: Uint8Array): Keys {
  const [forText, forNonce] = ['text', 'nonce'].map(use =>
    Buffer.from(hkdfSync('sha256', key, '', `speech-mcp ${purpose} ${use}`, 32)),
  )
  return { forText: forText!, forNonce: forNonce! }
}
