// Paths on the command line, as people write them.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { SpeechError } from '../../domain/errors.ts'
import { withoutQuotes } from '../../domain/text.ts'
import { expandPath } from '../../system/given-path.ts'

/** True for an address or a `data:` URI; a file of this name comes first. */
export function isAddress(given: string): boolean {
  if (existsSync(given) || /^[a-z]:[\\/]/i.test(given)) return false
  return /^[a-z][a-z0-9+.-]+:/i.test(withoutQuotes(given)) && !/^["'“‘`]?file:/i.test(given.trim())
}

/** The absolute path: a `file://` URL, `~` and quotes are resolved unless a file has just this name. Throws `BAD_INPUT`. */
export function givenPath(given: string): string {
  if (existsSync(given)) return resolve(given)
  try {
    return resolve(expandPath(withoutQuotes(given)))
  } catch (cause) {
    throw new SpeechError('BAD_INPUT', 'The file:// URL does not name a file on this machine.', {
      hint: 'Give the path exactly as it is on disk.',
      cause,
    })
  }
}
