// The errors of Gemini; `code` holds Google's status name.
import type { CloudError } from '../../errors.ts'

export interface GeminiError extends CloudError {
  /** Objects with an `@type`. */
  details?: object[]
}

/** Details that state when to retry. */
export function retryInfo(seconds: number): object[] {
  return [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${seconds}s` }]
}

// Codes and statuses are documented; some of the wording is not.
export const geminiErrors = {
  invalidArgument: {
    status: 400,
    code: 'INVALID_ARGUMENT',
    message: 'Request contains an invalid argument.',
  },
  apiKeyInvalid: {
    status: 400,
    code: 'INVALID_ARGUMENT',
    message: 'API key not valid. Please pass a valid API key.',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'API_KEY_INVALID',
        domain: 'googleapis.com',
        metadata: { service: 'generativelanguage.googleapis.com' },
      },
    ],
  },
  wrongCountry: {
    status: 400,
    code: 'FAILED_PRECONDITION',
    message: 'User location is not supported for the API use.',
  },
  prepaidUsedUp: { status: 402, code: 'RESOURCE_EXHAUSTED', message: 'Your prepaid balance is used up.' },
  noKey: {
    status: 403,
    code: 'PERMISSION_DENIED',
    message:
      "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
  },
  permissionDenied: {
    status: 403,
    code: 'PERMISSION_DENIED',
    message: 'The caller does not have permission',
  },
  notFound: { status: 404, code: 'NOT_FOUND', message: 'Requested entity was not found.' },
  resourceExhausted: {
    status: 429,
    code: 'RESOURCE_EXHAUSTED',
    message: 'You exceeded your current quota, please check your plan and billing details.',
    details: retryInfo(34),
  },
  internal: { status: 500, code: 'INTERNAL', message: 'An internal error has occurred. Please retry.' },
  unavailable: {
    status: 503,
    code: 'UNAVAILABLE',
    message: 'The model is overloaded. Please try again later.',
  },
  deadlineExceeded: {
    status: 504,
    code: 'DEADLINE_EXCEEDED',
    message: 'The service was unable to finish processing within the deadline.',
  },
} as const satisfies Record<string, GeminiError>
