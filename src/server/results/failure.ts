// Text of an error, for all answers of the server.
import { codeOf, describeError } from '../../domain/errors.ts'
import { asLine, withoutQuotes } from '../../domain/text.ts'
import type { Jobs } from '../../jobs/jobs.ts'

/** As `describeError`. A transcript that is missing may be in a file that was set aside. */
export function describeFailure(error: unknown, jobs: Pick<Jobs, 'warnings'>): string {
  const more = codeOf(error) === 'TRANSCRIPT_NOT_FOUND' ? jobs.warnings() : []
  return [describeError(error), ...more].join(' ')
}

/** More text for a path that leads nowhere, where the recordings can be listed. */
export function findAdvice(
  error: unknown,
  { audio }: Record<string, unknown>,
  { foldersOpen }: Pick<Jobs, 'foldersOpen'>,
): string[] {
  const isLost = foldersOpen && typeof audio === 'string' && codeOf(error) === 'FILE_NOT_FOUND'
  return isLost ? ['find_recordings lists the newest with their paths.'] : []
}

/** Codes of errors whose cause is one recording or file. */
const aboutFile =
  /^(?:FILE_|NOT_A|EMPTY_|NO_AUDIO|TRACK_|UNSUPPORTED_|PLAYLIST_|OUTSIDE_|ATTACHMENT_|URL_|DOWNLOAD_|TOO_LARGE|IMPLAUSIBLE_|RECORDING_)/
const maxGivenChars = 300

/** Name and password before a host, and all that follows its path: both may hold a secret. */
const userinfo = /(:[/\\]{1,2})[^/\\?#]*@/g
const query = /[?#].*$/s

/** A sentence with the path or URL as it was given, which tells apart calls at once; none for `data:` and other errors. */
export function namedInput(error: unknown, { audio, save_as }: Record<string, unknown>): string[] {
  const given = audio ?? save_as
  if (typeof given !== 'string' || !aboutFile.test(codeOf(error))) return []
  const text = withoutQuotes(given)
  if (/^\W*data:/i.test(text)) return []
  // Anywhere: a quote, bracket or word may stand before an address. In a `file:` URL, `?` and `#` belong to the name.
  const isAddress = /https?:|:[/\\]{2}/i.test(text) && !/^file:/i.test(text)
  const shown = isAddress ? text.replace(userinfo, '$1') : text
  // A password with a slash or `#` of its own hides its end.
  if (isAddress && shown.includes('@')) return []
  return [`Given: "${asLine(isAddress ? shown.replace(query, '') : shown).slice(0, maxGivenChars)}".`]
}
