// The errors of Tablestore, with the service's statuses and messages.

/** Status and default message by code. */
const refusals = {
  OTSAuthFailed: [403, 'The user has no privilege to access the instance.'],
  OTSCapacityUnitExhausted: [403, 'Capacity unit is not enough.'],
  OTSConditionCheckFail: [403, 'Condition check failed.'],
  OTSFlowControl: [429, 'The requests have been throttled.'],
  OTSInternalServerError: [500, 'Internal server error.'],
  OTSInvalidPK: [400, 'Primary key schema mismatch.'],
  OTSMethodNotAllowed: [405, 'Only POST method for requests is supported.'],
  OTSNoPermissionAccess: [
    403,
    'You have no permission to access the requested resource, please contact the resource owner.',
  ],
  OTSNotEnoughCapacityUnit: [403, 'Capacity unit is not enough.'],
  OTSObjectAlreadyExist: [409, 'Requested table already exists.'],
  OTSObjectNotExist: [404, 'Requested table does not exist.'],
  OTSParameterInvalid: [400, 'Invalid parameter.'],
  OTSPartitionUnavailable: [503, 'The partition is not available.'],
  OTSQuotaExhausted: [403, 'Number of tables exceeded the quota.'],
  OTSRequestBodyTooLarge: [413, 'The size of POST data is too large.'],
  OTSRowOperationConflict: [409, 'Data is being modified by the other request.'],
  OTSServerBusy: [503, 'Server is busy.'],
  OTSServerUnavailable: [503, 'Server is not available.'],
  OTSTableNotReady: [404, 'The table is not ready.'],
  OTSTimeout: [503, 'Operation timeout.'],
} as const satisfies Record<string, readonly [number, string]>

export type TablestoreCode = keyof typeof refusals

/** An error response. */
export class TablestoreError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

export function refusal(code: TablestoreCode, message?: string): TablestoreError {
  const [status, usual] = refusals[code]
  return new TablestoreError(status, code, message ?? usual)
}

export function invalid(message: string): TablestoreError {
  return refusal('OTSParameterInvalid', message)
}

/** The service's message for a code; the code itself if it is unknown. */
export function defaultMessage(code: string): string {
  return code in refusals ? refusals[code as TablestoreCode][1] : code
}
