// The errors of DashScope with the exact codes and messages that its documentation and captures show.
import { randomUUID } from 'node:crypto'

export interface CloudError {
  status: number
  code: string
  message: string
  /** Sent as `{"error": {…}}`, the form of a gateway in front of the service. */
  nested?: boolean
}

/** The body of an error, in its form. */
export function errorBody({ code, message, nested }: CloudError): object {
  if (nested) return { error: { message, type: 'invalid_request_error', code } }
  return { code, message, request_id: randomUUID() }
}

export const dashscopeErrors = {
  modelNotExist: { status: 400, code: 'InvalidParameter', message: 'Model not exist.' },
  audioEmpty: { status: 400, code: 'InvalidParameter', message: 'The audio is empty' },
  urlError: { status: 400, code: 'InvalidParameter', message: 'url error, please check url！' },
  roleOrContent: {
    status: 400,
    code: 'InvalidParameter',
    message: 'Role must be user or assistant and Content length must be greater than 0',
  },
  contentNotString: { status: 400, code: 'InvalidParameter', message: 'input content must be a string.' },
  inspectionDownload: {
    status: 400,
    code: 'InvalidParameter.DataInspection',
    message: 'Unable to download the media resource during the data inspection process.',
  },
  dataInspectionFailed: {
    status: 400,
    code: 'DataInspectionFailed',
    message: 'Input or output data may contain inappropriate content.',
  },
  arrearage: {
    status: 400,
    code: 'Arrearage',
    message: 'Access denied, please make sure your account is in good standing.',
  },
  invalidUrl: { status: 400, code: 'InvalidURL', message: 'The audio file cannot be downloaded.' },
  downloadFailed: {
    status: 400,
    code: 'InvalidFile.DownloadFailed',
    message: 'The audio file cannot be downloaded.',
  },
  audioLength: {
    status: 400,
    code: 'InvalidFile.AudioLengthError',
    message: 'Audio length must be between 1s and 300s.',
  },
  tooLarge: {
    status: 400,
    code: 'BadRequest.TooLarge',
    message: 'Exceeded limit on max bytes per data-uri item : 10485760',
  },
  noWords: {
    status: 400,
    code: 'ASR_RESPONSE_HAVE_NO_WORDS',
    message: 'ASR_RESPONSE_HAVE_NO_WORDS',
  },
  // Only the codes of the next two, and of some quota and server errors, are documented; their wording is not.
  emptyInput: { status: 400, code: 'BadRequest.EmptyInput', message: 'Required input parameter missing.' },
  unsupportedFormat: {
    status: 400,
    code: 'BadRequest.UnsupportedFileFormat',
    message: 'File format unsupported.',
  },
  invalidApiKey: { status: 401, code: 'InvalidApiKey', message: 'Invalid API-key provided.' },
  noAsynchronousCalls: {
    status: 403,
    code: 'AccessDenied',
    message: 'Current user api does not support asynchronous calls.',
  },
  noSynchronousCalls: {
    status: 403,
    code: 'AccessDenied',
    message: 'current user api does not support synchronous calls.',
  },
  cannotCancel: {
    status: 400,
    code: 'UnsupportedOperation',
    message: 'Failed to cancel the task, please confirm if the task is in PENDING status.',
  },
  policyExpired: {
    status: 403,
    code: 'AccessDenied',
    message: 'Invalid according to Policy: Policy expired.',
  },
  unpurchased: { status: 403, code: 'AccessDenied.Unpurchased', message: 'Access to model denied.' },
  modelAccessDenied: { status: 403, code: 'Model.AccessDenied', message: 'Model access denied.' },
  workspaceAccessDenied: { status: 403, code: 'Workspace.AccessDenied', message: 'Workspace access denied.' },
  freeTierOnly: {
    status: 403,
    code: 'AllocationQuota.FreeTierOnly',
    message:
      'The free tier of the model has been exhausted. If you wish to continue access the model on a paid basis, please disable the "use free tier only" mode in the management console.',
  },
  modelNotFound: { status: 404, code: 'ModelNotFound', message: 'Model can not be found.' },
  rateQuota: {
    status: 429,
    code: 'Throttling.RateQuota',
    message: 'Requests rate limit exceeded, please try again later.',
  },
  burstRate: {
    status: 429,
    code: 'Throttling.BurstRate',
    message: 'Request rate increased too quickly, please try again later.',
  },
  allocationQuota: {
    status: 429,
    code: 'Throttling.AllocationQuota',
    message: 'Allocated quota exceeded, please try again later.',
  },
  commodityNotPurchased: {
    status: 429,
    code: 'CommodityNotPurchased',
    message: 'Commodity has not purchased yet.',
  },
  prepaidBillOverdue: { status: 429, code: 'PrepaidBillOverdue', message: 'The prepaid bill is overdue.' },
  postpaidBillOverdue: { status: 429, code: 'PostpaidBillOverdue', message: 'The postpaid bill is overdue.' },
  internalError: {
    status: 500,
    code: 'InternalError',
    message: 'An internal error has occured, please try again later or contact service support.',
  },
  algorithmError: { status: 500, code: 'InternalError.Algo', message: 'Inference internal error.' },
  internalTimeout: { status: 500, code: 'InternalError.Timeout', message: 'Internal error, timeout.' },
  systemError: {
    status: 500,
    code: 'SystemError',
    message: 'An system error has occured, please try again later.',
  },
  modelServiceFailed: {
    status: 500,
    code: 'ModelServiceFailed',
    message: 'Failed to request model service.',
  },
  modelServingError: {
    status: 503,
    code: 'ModelServingError',
    message: 'Too many requests. Your requests are being throttled due to system capacity limits.',
  },
  modelUnavailable: {
    status: 503,
    code: 'ModelUnavailable',
    message: 'Model is unavailable, please try again later.',
  },
  requestTimeOut: {
    status: 503,
    code: 'RequestTimeOut',
    message: 'Request timed out, please try again later.',
  },
} as const satisfies Record<string, CloudError>

/** Thrown by the emulator; one place turns it into a response. */
export class Refusal extends Error {
  readonly error: CloudError

  constructor(error: CloudError, message = error.message) {
    super(message)
    this.error = { ...error, message }
  }
}
