// Errors of tickets and uploads, as people and models read them.
import { SpeechError } from '../../domain/errors.ts'
import type { UploadRecord } from '../../domain/network/uploads.ts'

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
const askAgain = 'Ask for another ticket with request_upload.'

export const unknownTicket = () =>
  new SpeechError('UPLOAD_NOT_FOUND', 'No ticket has this address.', {
    hint: `Check that the address is complete. ${askAgain}`,
  })

export const lateTicket = () =>
  new SpeechError('UPLOAD_REFUSED', 'The time of this ticket is over.', { hint: askAgain })

export const usedTicket = ({ hash }: UploadRecord) =>
  new SpeechError(
    'UPLOAD_REFUSED',
    hash === undefined
      ? 'This ticket is used: an upload with it has begun.'
      : 'This ticket is used: its upload is whole.',
    {
      hint:
        hash === undefined
          ? `Continue that upload, or delete it. For another recording, do the same with another ticket.`
          : askAgain,
    },
  )

export const otherBytes = () =>
  new SpeechError('UPLOAD_REFUSED', 'The bytes that came do not have the SHA-256 that was announced.', {
    hint: 'Nothing of them is kept: send the file again with the same ticket.',
  })

export const inUse = () =>
  new SpeechError('BUSY', 'Another connection sends to this upload now.', {
    hint: 'Wait until it has ended, and continue then.',
    retryable: true,
  })

export const tooBusy = () =>
  new SpeechError('BUSY', 'The server takes no more uploads at once.', {
    hint: 'Send the file again in a minute.',
    retryable: true,
  })

export const superseded = () =>
  new SpeechError('BUSY', 'This upload was begun again or deleted over another connection.', {
    hint: 'Leave it to that connection, or send the file again.',
  })

export const tooLarge = (maxBytes: number) =>
  new SpeechError('TOO_LARGE', `A recording may have at most ${megabytes(maxBytes)}.`, {
    hint: 'Send its audio track only, or split it. SPEECH_MAX_DOWNLOAD_MB of the server sets the limit.',
  })

export const emptyFile = () =>
  new SpeechError('EMPTY_FILE', 'The file is empty.', {
    hint: 'Check that the recording was saved or copied completely.',
  })

export const tooMuch = (maxBytes: number) =>
  new SpeechError('TOO_LARGE', `All your uploads together may have at most ${megabytes(maxBytes)}.`, {
    hint: 'Each is deleted a day after it was last transcribed: send the recording then.',
  })

export const tooMany = (max: number) =>
  new SpeechError('BUSY', `You have ${max} tickets and uploads already.`, {
    hint: 'Use a ticket that you have; each ends after a day.',
    retryable: true,
  })

export const diskFull = () =>
  new SpeechError('DISK_FULL', 'The disk of the server is too full for the recording.', {
    hint: 'Free some space there, or send a smaller recording.',
  })

export const unknownUpload = () =>
  new SpeechError('UPLOAD_NOT_FOUND', 'No upload has this address.', {
    hint: 'Check the address; an upload is deleted a day after it was last transcribed. Upload it again with request_upload.',
  })

export function unfinished(received: number, bytes: number | undefined): SpeechError {
  const message =
    bytes === undefined
      ? 'Nothing of this upload has come yet.'
      : `The upload is not whole: ${megabytes(received)} of ${megabytes(bytes)} have come.`
  return new SpeechError('UPLOAD_UNFINISHED', message, {
    hint: 'Call again when the user has uploaded the recording.',
    retryable: true,
  })
}
