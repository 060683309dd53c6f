// Text of an error, for all answers of the server.
import { codeOf, describeError } from '../../domain/errors.ts'
import { asLine } from '../../domain/text.ts'
import type { Jobs } from '../../jobs/jobs.ts'

/** As `describeError`. A transcript that is missing may be in a file that was set aside. */
export function describeFailure(error: unknown, jobs: Pick<Jobs, 'warnings'>): string {
  const more = codeOf(error) === 'TRANSCRIPT_NOT_FOUND' ? jobs.warnings() : []
  return [describeError(error), ...more].join(' ')
}

/** Codes of errors whose cause is one recording or file. */
const aboutFile =
  /^(?:FILE_|NOT_A|EMPTY_|NO_AUDIO|TRACK_|UNSUPPORTED_|PLAYLIST_|OUTSIDE_|ATTACHMENT_|URL_|DOWNLOAD_|TOO_LARGE|IMPLAUSIBLE_|RECORDING_)/
const maxGivenChars = 300

/** A sentence with the path or URL as it was given, which tells apart calls at once; none for `data:` and other errors. */
export function namedInput(error: unknown, { audio, save_as }: Record<string, unknown>): string[] {
  const given = audio ?? save_as
  if (typeof given !== 'string' || /^data:/i.test(given) || !aboutFile.test(codeOf(error))) return []
  // The query of a URL may hold a key.
  const shown = /^https?:/i.test(given) ? given.replace(/[?#].*$/s, '') : given
  return [`Given: "${asLine(shown).slice(0, maxGivenChars)}".`]
}
