// The error of work that a test expects to fail.
import { expect } from 'vitest'
import { SpeechError } from '../../src/domain/errors.ts'

export async function failure(work: Promise<unknown>): Promise<SpeechError> {
  const error = await work.then(
    () => new Error('It did not fail.'),
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(SpeechError)
  return error as SpeechError
}
