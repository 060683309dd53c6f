// Translates failures of OSS and of the network into errors with a hint.
import { SpeechError } from '../../../domain/errors.ts'
import type { ErrorMeaning } from '../../http/dashscope-errors.ts'

/** The bucket refuses every request with this key. */
const refused = (message: string, hint: string): ErrorMeaning => ({
  code: 'BUCKET_REFUSED',
  message,
  hint,
  scope: 'account',
})

const noPermission = refused(
  'The key has no permission to use the bucket.',
  'Grant its RAM user oss:PutObject, oss:GetObject, oss:DeleteObject, oss:AbortMultipartUpload, oss:ListObjects and oss:ListMultipartUploads on the bucket and on speech-mcp/uploads/*.',
)
const otherEndpoint = refused(
  'The bucket belongs to another endpoint.',
  'Set OSS_ENDPOINT to the endpoint that the OSS console shows for the bucket.',
)
const otherRegion = refused(
  'The bucket is in a different region than the signature.',
  'Set OSS_REGION to the region of the bucket, or unset it and set OSS_ENDPOINT to the endpoint of the bucket.',
)
const badSecret = refused(
  'OSS rejected the signature: the secret does not belong to the key.',
  'Copy ALIBABA_ACCESS_KEY and ALIBABA_SECRET_KEY again, both from the same key.',
)
const unknownKey = refused(
  'The key does not exist or is disabled.',
  'Check ALIBABA_ACCESS_KEY in the RAM console; a temporary key also needs ALIBABA_CLOUD_SECURITY_TOKEN.',
)
const expiredToken = refused(
  'The temporary key has expired.',
  'Get a new one and set key, secret and ALIBABA_CLOUD_SECURITY_TOKEN together; keys of RAM users do not expire.',
)
const badToken = refused(
  'The security token does not belong to the temporary key.',
  'Set key, secret and ALIBABA_CLOUD_SECURITY_TOKEN together; unset the token if the key is not temporary.',
)
const disabled = refused(
  'The account of the bucket is disabled or has an overdue bill.',
  'Check the bills and the state of the OSS service in the Alibaba Cloud console.',
)
const clockWrong: ErrorMeaning = {
  code: 'CLOCK_WRONG',
  message: 'The clock of this machine is more than 15 minutes off, so OSS rejects its signatures.',
  hint: 'Set the clock by network time, then call again.',
  scope: 'account',
}
const noBucket: ErrorMeaning = {
  code: 'BUCKET_NOT_FOUND',
  message: 'The bucket does not exist.',
  hint: 'Check OSS_BUCKET and OSS_ENDPOINT, or create the bucket in the OSS console.',
  scope: 'account',
}

/** Meanings of OSS error codes; the first match counts (OSS reference, error codes). */
const byCode: [RegExp, ErrorMeaning][] = [
  [/^NoSuchBucket$|^InvalidBucketName$/, noBucket],
  [/^RequestTimeTooSkewed$/, clockWrong],
  [/^(SecurityTokenExpired|STSTokenExpired)$/, expiredToken],
  [/^(InvalidSecurityToken|AccessKeyIdAndSecurityTokenNotMatch|SecurityTokenNotSupported)$/, badToken],
  [/^SignatureDoesNotMatch$/, badSecret],
  [/^InvalidAccessKeyId$/, unknownKey],
  [/^UserDisable$|^Arrearage$/, disabled],
]
/** Meanings of codes that cover several mistakes, by message. */
const byMessage: [RegExp, ErrorMeaning][] = [
  [/must be addressed using the specified endpoint/i, otherEndpoint],
  [/signing region|location constraint/i, otherRegion],
  [/token.*expired/i, expiredToken],
]

const failed: ErrorMeaning = {
  code: 'UPLOAD_FAILED',
  message: 'The bucket could not be reached or did not respond.',
  hint: 'Check the network and OSS_ENDPOINT; call again in a minute.',
  retryable: true,
}

/** Errors of the client library: from OSS, from the network, its own, and plain objects. */
interface OssFailure {
  code?: unknown
  status?: unknown
  name?: unknown
  message?: unknown
}

/** Keeps only code and status as the cause: the original error contains the request with key and path. */
export function ossError(error: unknown): SpeechError {
  const failure = (error ?? {}) as OssFailure
  const ossCode = typeof failure.code === 'string' ? failure.code : ''
  const status = typeof failure.status === 'number' ? failure.status : 0
  const { code, message, ...details } = meaningOf(ossCode, status, String(failure.message ?? ''))
  const cause = { status, code: String(ossCode || failure.name || '').slice(0, 60) }
  return new SpeechError(code, message, { ...details, cause })
}

function meaningOf(code: string, status: number, message: string): ErrorMeaning {
  const known =
    byMessage.find(([pattern]) => pattern.test(message))?.[1] ??
    byCode.find(([pattern]) => pattern.test(code))?.[1]
  if (known) return known
  if (isTransient(code, status)) return failed
  if (code === 'AccessDenied') return noPermission
  return {
    ...failed,
    message: `The bucket rejected the recording (${status}${/^\w{1,60}$/.test(code) ? `, ${code}` : ''}).`,
    hint: code ? 'Look up the code in the OSS error reference.' : 'Check proxy, firewall and OSS_ENDPOINT.',
    retryable: false,
  }
}

/** Network errors have no status or a negative one; an unreadable response has the status of a success. */
function isTransient(code: string, status: number): boolean {
  return status < 400 || status >= 500 || status === 408 || status === 429 || code === 'RequestTimeout'
}

/** True if the upload was completed or aborted before, or the object does not exist. */
export function isGone(error: unknown): boolean {
  const { code } = ((error as SpeechError).cause ?? {}) as OssFailure
  return code === 'NoSuchUpload' || code === 'NoSuchKey'
}

/** True if there is an object of this name already, which was not to be overwritten. */
export function exists(error: unknown): boolean {
  return ((error as SpeechError).cause as OssFailure | undefined)?.code === 'FileAlreadyExists'
}

/** True if there was no connection, so that the request cannot have had an effect. */
export function neverArrived(error: unknown): boolean {
  const { name } = (error ?? {}) as OssFailure
  return name === 'RequestError' || name === 'ConnectionTimeoutError'
}
