// What a failure of OSS or of the way to it means for whoever stores a recording.
import { SpeechError } from '../../../domain/errors.ts'
import type { Meaning } from '../../http/dashscope.ts'

/** The user's bucket says no, and would say it to everybody who asks with this key. */
const refused = (message: string, hint: string): Meaning => ({
  code: 'BUCKET_REFUSED',
  message,
  hint,
  scope: 'account',
})

const noRight = refused(
  'The key may not use the bucket.',
  'Allow its RAM user oss:PutObject, oss:GetObject, oss:DeleteObject, oss:AbortMultipartUpload, oss:ListObjects and oss:ListMultipartUploads on the bucket and on speech-mcp/uploads/*.',
)
const otherEndpoint = refused(
  'The bucket is not reached at this endpoint.',
  'Set OSS_ENDPOINT to the endpoint that the OSS console shows for the bucket.',
)
const otherRegion = refused(
  'The bucket is in another region than the signature says.',
  'Set OSS_REGION to the region of the bucket, or unset it and set OSS_ENDPOINT to the bucket’s endpoint.',
)
const badSecret = refused(
  'OSS refused the signature: key and secret do not belong together.',
  'Copy ALIBABA_ACCESS_KEY and ALIBABA_SECRET_KEY again, both of the same key.',
)
const unknownKey = refused(
  'OSS does not know the key, or it is switched off.',
  'Check ALIBABA_ACCESS_KEY in the RAM console; a temporary key also needs ALIBABA_CLOUD_SECURITY_TOKEN.',
)
const expiredToken = refused(
  'The temporary key has expired.',
  'Get a new one and set key, secret and ALIBABA_CLOUD_SECURITY_TOKEN together; the key of a RAM user does not expire.',
)
const badToken = refused(
  'The token of the temporary key is not valid for it.',
  'Set key, secret and ALIBABA_CLOUD_SECURITY_TOKEN together; unset the token where the key is not a temporary one.',
)
const disabled = refused(
  'The account of the bucket is switched off or in arrears.',
  'Look into the Alibaba Cloud console: bills, and the state of the OSS service.',
)
const clockWrong: Meaning = {
  code: 'CLOCK_WRONG',
  message: 'The clock of this machine is more than a quarter of an hour off, so OSS refuses its signatures.',
  hint: 'Set the clock by network time, then call again.',
  scope: 'account',
}
const noBucket: Meaning = {
  code: 'BUCKET_NOT_FOUND',
  message: 'There is no such bucket.',
  hint: 'Check OSS_BUCKET and OSS_ENDPOINT, or create the bucket in the OSS console.',
  scope: 'account',
}

/** Codes of OSS and what they mean, first match first (OSS reference, error codes). */
const byCode: [RegExp, Meaning][] = [
  [/^NoSuchBucket$|^InvalidBucketName$/, noBucket],
  [/^RequestTimeTooSkewed$/, clockWrong],
  [/^(SecurityTokenExpired|STSTokenExpired)$/, expiredToken],
  [/^(InvalidSecurityToken|AccessKeyIdAndSecurityTokenNotMatch|SecurityTokenNotSupported)$/, badToken],
  [/^SignatureDoesNotMatch$/, badSecret],
  [/^InvalidAccessKeyId$/, unknownKey],
  [/^UserDisable$|^Arrearage$/, disabled],
]
/** One code stands for several mistakes; its text tells them apart. */
const byText: [RegExp, Meaning][] = [
  [/must be addressed using the specified endpoint/i, otherEndpoint],
  [/signing region|location constraint/i, otherRegion],
  [/token.*expired/i, expiredToken],
]

const failed: Meaning = {
  code: 'UPLOAD_FAILED',
  message: 'The bucket could not be reached, or failed to answer.',
  hint: 'Check the network and OSS_ENDPOINT; call again in a minute.',
  retryable: true,
}

/** What the client library throws: errors of OSS, of the network, of its own, and plain objects. */
interface OssFailure {
  code?: unknown
  status?: unknown
  name?: unknown
  message?: unknown
}

/** Nothing of the failure but its code and status goes on: it holds the request with key and path. */
export function ossError(error: unknown): SpeechError {
  const { code, status, name, message } = (error ?? {}) as OssFailure
  const what = typeof code === 'string' ? code : ''
  const state = typeof status === 'number' ? status : 0
  const { code: ours, message: text, ...details } = meaningOf(what, state, String(message ?? ''))
  const cause = { status: state, code: String(what || name || '').slice(0, 60) }
  return new SpeechError(ours, text, { ...details, cause })
}

function meaningOf(code: string, status: number, text: string): Meaning {
  const byWords = byText.find(([pattern]) => pattern.test(text))?.[1]
  const known = byWords ?? byCode.find(([pattern]) => pattern.test(code))?.[1]
  if (known) return known
  if (passes(code, status)) return failed
  if (code === 'AccessDenied') return noRight
  return {
    ...failed,
    message: `The bucket did not take the recording (${status}${/^\w{1,60}$/.test(code) ? `, ${code}` : ''}).`,
    hint: code
      ? 'Look the code up in the OSS error reference.'
      : 'Check a proxy or firewall, and OSS_ENDPOINT.',
    retryable: false,
  }
}

/** A network that fails has no status or a negative one; an answer that could not be read has that of a success. */
function passes(code: string, status: number): boolean {
  return status < 400 || status >= 500 || status === 408 || status === 429 || code === 'RequestTimeout'
}

/** True for the answer to something that has been done or given up before. */
export function isGone(error: unknown): boolean {
  const { code } = ((error as SpeechError).cause ?? {}) as OssFailure
  return code === 'NoSuchUpload' || code === 'NoSuchKey'
}

/** True for what the client library throws where there was no connection, so that nothing can have been done. */
export function neverArrived(error: unknown): boolean {
  const { name } = (error ?? {}) as OssFailure
  return name === 'RequestError' || name === 'ConnectionTimeoutError'
}
