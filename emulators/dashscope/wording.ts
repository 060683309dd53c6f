// The wording of refusals of the model behind the gateway, in the form that an emulator is told to use.
import { type CloudError, dashscopeErrors } from './errors.ts'
import type { Forms } from './forms.ts'

const inner = 'InternalError.Algo.InvalidParameter'

/** An invalid parameter; `tidy` is the documented error. */
export function invalidInput(
  message: string,
  { invalidInput: form }: Forms,
  tidy: CloudError = { status: 400, code: 'InvalidParameter', message },
): CloudError {
  if (form === 'tidy') return tidy
  if (form === 'code') return { status: 400, code: inner, message }
  return { status: 400, code: 'InvalidParameter', message: `<400> ${inner}: ${message}` }
}

const refused = 'InternalError.Algo.DataInspectionFailed'

/** The refusal of the content check. */
export function contentRefused({ contentCheck }: Forms): CloudError {
  const documented = dashscopeErrors.dataInspectionFailed
  if (contentCheck === 'code') return documented
  if (contentCheck === 'innerCode') return { ...documented, code: refused }
  return { ...documented, code: 'InvalidParameter', message: `<400> ${refused}: ${documented.message}` }
}
