// The errors of MNS, with the documented statuses.
export const refusals = {
  AccessDenied: [403, 'The OwnerId that your Access Key Id associated to is forbidden for this operation.'],
  SignatureDoesNotMatch: [
    403,
    'The request signature we calculated does not match the signature you provided.',
  ],
  InvalidAccessKeyId: [403, 'The AccessKeyId you provided does not exist.'],
  InvalidSecurityToken: [403, 'The security token you provided is invalid.'],
  MissingAuthorizationHeader: [400, 'Authorization header is required.'],
  TimeExpired: [408, 'The http request you sent is expired.'],
  InvalidDigest: [400, 'The Content-MD5 you specified did not match what we received.'],
  InvalidArgument: [400, 'The value of an argument is not in its range.'],
  MalformedXML: [400, 'The XML you provided was not well-formed.'],
  InvalidQueueName: [400, 'The queue name you provided is invalid.'],
  InvalidRequestURL: [400, 'Http request URL is invalid.'],
  MessageBodyTooLarge: [400, 'The message body is larger than 64 KB.'],
  QueueNotExist: [404, 'The queue name you provided is not exist.'],
  QueueAlreadyExist: [409, 'The queue you want to create is already exist.'],
  MessageNotExist: [404, 'Message not exist.'],
  ReceiptHandleError: [400, 'The receipt handle you provide is not valid.'],
  InternalServerError: [500, 'Internal error.'],
} as const satisfies Record<string, [status: number, message: string]>

export type MnsCode = keyof typeof refusals

export class MnsError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'MnsError'
    this.status = status
    this.code = code
  }
}

export function refusal(code: MnsCode): MnsError {
  const [status, message] = refusals[code]
  return new MnsError(status, code, message)
}
