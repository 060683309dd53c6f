// Meaning of the codes with which file recognition fails or is refused: silence, a bad address, bad audio, …
import { SpeechError } from '../../../domain/errors.ts'
import { type ErrorMeaning, knownMeaning } from '../../http/dashscope-errors.ts'

/** Reported as failures, but they mean that the recording has no speech. */
const silence = new Set(['SUCCESS_WITH_NO_VALID_FRAGMENT', 'ASR_RESPONSE_HAVE_NO_WORDS'])

/** Codes of tasks, their parts and refused submits (Model Studio error reference), first match first. */
const meanings: [RegExp, ErrorMeaning][] = [
  [
    /^(FILE_DOWNLOAD_FAILED|FILE_403_FORBIDDEN|FILE_404_NOT_FOUND|FILE_SERVER_ERROR|InvalidFile\.DownloadFailed|CONTENT_LENGTH_CHECK_FAILED|REQUEST_INVALID_FILE_URL_VALUE|InvalidURL(\.\w+)?|InvalidParameter\.DataInspection)$/,
    {
      code: 'UPLOAD_UNREACHABLE',
      message: 'DashScope could not fetch the uploaded recording.',
      hint: 'Call again; if it persists, check that the bucket may be read from the internet with a signed address.',
      retryable: true,
    },
  ],
  [
    /^InvalidParameter\.MalformedURL$/,
    {
      code: 'UPLOAD_UNREACHABLE',
      message: 'DashScope does not accept the address of the uploaded recording.',
      hint: 'Check OSS_ENDPOINT: DashScope reads the bucket from the internet. Without a bucket, its own store is used.',
    },
  ],
  [
    /^(FILE_CHECK_FAILED|FILE_NORMALIZE_FAILED|FILE_PARSE_FAILED|MKV_PARSE_FAILED|DECODE_ERROR|NO_VALID_AUDIO_ERROR|UNSUPPORTED_FORMAT|BadRequest\.UnsupportedFileFormat)$/,
    {
      code: 'NOT_AUDIO',
      message: 'DashScope could not decode the uploaded recording.',
      hint: 'Check that the recording plays; convert it to another format and call again.',
    },
  ],
  [
    /^(FILE_TOO_LARGE|AUDIO_DURATION_TOO_LONG|BadRequest\.TooLarge)$/,
    {
      code: 'TOO_LARGE',
      message: 'The recording is too long or too large for DashScope (12 hours, 2 GB).',
      hint: 'Split the recording; DashScope accepts at most 12 hours and 2 GB.',
    },
  ],
  [
    /^FILE_TRANS_TASK_EXPIRED$/,
    {
      code: 'TASK_LOST',
      message: 'DashScope dropped the task before it was done.',
      hint: 'Call again.',
      retryable: true,
    },
  ],
  [
    /DataInspectionFailed$|^data_inspection_failed$/,
    {
      code: 'CONTENT_REFUSED',
      message: 'The provider’s content check refused the recording.',
      hint: 'It cannot be transcribed as a whole with this provider.',
    },
  ],
]

export function isSilence(code: string): boolean {
  return silence.has(code)
}

/** Undefined for an unknown code. */
export function failureOf(code: string): SpeechError | undefined {
  const meaning = meanings.find(([pattern]) => pattern.test(code))?.[1]
  return meaning && failure(meaning, code)
}

/** Interprets the first known one of the codes that a response may contain; `message` is DashScope's. */
export function endOf(codes: string[], message: string): 'silence' | SpeechError {
  for (const code of codes) {
    if (isSilence(code)) return 'silence'
    const known = failureOf(code)
    if (known) return known
  }
  const general = ['', ...codes].map(code => knownMeaning(code, message)).find(meaning => meaning)
  if (general?.code === 'CONTENT_REFUSED') return failureOf('DataInspectionFailed')!
  if (general && !general.retryable) return failure(general, codes[0])
  const named = codes.find(code => /^[\w.]{1,60}$/.test(code))
  const meaning: ErrorMeaning = {
    code: 'TASK_FAILED',
    message: `DashScope could not transcribe the recording${named ? ` (${named})` : ''}.`,
    hint: 'Call again; if it persists, look the code up in Model Studio’s error reference.',
    retryable:
      named !== undefined && /^(Internal|S(ystem|ERVER_ERROR)|Throttling|Model(Serv|Unav))/.test(named),
  }
  return failure(meaning, named)
}

export const taskUnknown = (): SpeechError =>
  failure({
    code: 'TASK_LOST',
    message: 'DashScope does not know the task; it keeps tasks for one day.',
    hint: 'Call again.',
    retryable: true,
  })

export const taskCancelled = (): SpeechError =>
  failure({ code: 'TASK_LOST', message: 'The task was cancelled at DashScope.', hint: 'Call again.' })

export const resultExpired = (): SpeechError =>
  failure({
    code: 'TASK_LOST',
    message: 'DashScope no longer has the task’s result.',
    hint: 'Call again.',
    retryable: true,
  })

/** These two are thrown, not the end of a task: it is paid, so its id is kept and its result asked for again. */
export const resultAddressRefused = (): SpeechError =>
  failure({
    code: 'PROVIDER_FAILED',
    message: 'DashScope names an address for the result that does not belong to Alibaba Cloud.',
    hint: 'Check DASHSCOPE_BASE_URL; the next call asks for the same task’s result and pays for no other.',
  })

export const resultUnreadable = (): SpeechError =>
  failure({
    code: 'PROVIDER_FAILED',
    message: 'The task has succeeded, but its result has an unknown shape.',
    hint: 'Report it; the next call asks for the same task’s result and pays for no other.',
  })

function failure({ code, message, ...details }: ErrorMeaning, cause?: string): SpeechError {
  return new SpeechError(code, message, {
    ...details,
    ...(cause !== undefined && { cause: { code: cause } }),
  })
}
