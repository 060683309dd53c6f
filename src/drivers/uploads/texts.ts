// Texts in the record of an upload: ids and secrets, hashes of these, and the name of the file.
import { createHash, randomBytes } from 'node:crypto'
import { oneLine } from '../../domain/text.ts'

const idBytes = 16

/** Without folders. */
export function fileName(given = ''): string {
  return oneLine(given.split(/[/\\]/).at(-1) ?? '')
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** 128 bits in letters that a person can read out. */
export function randomText(): string {
  return [...randomBytes(idBytes * 2)]
    .slice(0, 26)
    .map(byte => alphabet[byte & 31])
    .join('')
}
