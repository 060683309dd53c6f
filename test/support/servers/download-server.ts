// Shared by the tests of downloads: an HTTPS server for recordings, redirects, and errors checked for secrets.
import type { ServerResponse } from 'node:http'
import { expect } from 'vitest'
import { describeError, type SpeechError } from '../../../src/domain/errors.ts'

export const anyAddress = () => true
export const megabyte = 1_000_000

/** The error of a download that must fail; it never repeats the words of the server or the system. */
export async function downloadFailure(download: Promise<unknown>): Promise<SpeechError> {
  const error: SpeechError = await download.then(
    () => expect.fail('It did not fail.'),
    reason => reason,
  )
  expect(describeError(error)).toMatch(/^[A-Z_]+: [A-Z][^\n]+?\. [A-Z][^\n]+\.$/)
  expect(describeError(error)).not.toMatch(/127\.0\.0\.1|ECONN|secret/)
  return error
}

export function redirect(location: string, status = 302) {
  return (response: ServerResponse) => void response.writeHead(status, { location }).end('elsewhere')
}
