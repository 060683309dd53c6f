// The page at a ticket's address: a file picker and a bar, for people without a tus client.
import { createHash } from 'node:crypto'
import { type FinishedUpload, type UploadRecord, uploadAddress } from '../../../domain/network/uploads.ts'

export function uploadPage({ maxBytes, endsAt }: UploadRecord, whole: FinishedUpload | undefined) {
  return {
    html: `${maxBytes} ${endsAt} ${whole && uploadAddress(whole.id)}`,
    policy: createHash('sha256').digest('hex'),
  }
}
