// What the codes mean with which a file transcription ends or is refused: silence, a bad address, bad audio, …
import { type ErrorCode, SpeechError } from '../../../domain/errors.ts'

interface Meaning {
  code: ErrorCode
  message: string
  hint: string
  retryable?: boolean
}

/** Called failures, but nothing has failed: nobody speaks. */
const silence = new Set(['SUCCESS_WITH_NO_VALID_FRAGMENT', 'ASR_RESPONSE_HAVE_NO_WORDS'])

const again = 'Call again; if it stays, report it.'

/** Codes of tasks, their parts and refused submits (Model Studio error reference), first match first. */
const meanings: [RegExp, Meaning][] = [
  [
    /^(FILE_DOWNLOAD_FAILED|FILE_403_FORBIDDEN|FILE_404_NOT_FOUND|FILE_SERVER_ERROR|InvalidFile\.DownloadFailed|CONTENT_LENGTH_CHECK_FAILED|REQUEST_INVALID_FILE_URL_VALUE|InvalidURL(\.\w+)?|InvalidParameter\.DataInspection)$/,
    {
      code: 'UPLOAD_UNREACHABLE',
      message: 'DashScope could not fetch the uploaded recording.',
      hint: 'Call again; if it stays, check that the bucket may be read from the internet with a signed address.',
      retryable: true,
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
      hint: 'Part it and give the parts one by one.',
    },
  ],
  [
    /^FILE_TRANS_TASK_EXPIRED$/,
    {
      code: 'TASK_LOST',
      message: 'DashScope gave the task up before it was done.',
      hint: 'Call again.',
      retryable: true,
    },
  ],
  [
    /^(DataInspectionFailed|data_inspection_failed)$/,
    {
      code: 'CONTENT_REFUSED',
      message: 'The provider’s content check refused the recording.',
      hint: 'It cannot be transcribed whole with this provider.',
    },
  ],
]

export function isSilence(code: string): boolean {
  return silence.has(code)
}

/** Undefined for a code of which nothing more is known. */
export function failureOf(code: string): SpeechError | undefined {
  const meaning = meanings.find(([pattern]) => pattern.test(code))?.[1]
  return meaning && failure(meaning, code)
}

/** The first code that says something, of those in which the provider may have put it. */
export function endOf(codes: string[]): 'silence' | SpeechError {
  for (const code of codes) {
    if (isSilence(code)) return 'silence'
    const known = failureOf(code)
    if (known) return known
  }
  const named = codes.find(code => /^[\w.]{1,60}$/.test(code))
  const meaning: Meaning = {
    code: 'TASK_FAILED',
    message: `DashScope could not transcribe the recording${named ? ` (${named})` : ''}.`,
    hint: 'Call again; if it stays, look the code up in Model Studio’s error reference.',
    retryable: named !== undefined && /^(Internal|System|Throttling|Model(Serv|Unav))/.test(named),
  }
  return failure(meaning, named)
}

export const taskUnknown = (): SpeechError =>
  failure({
    code: 'TASK_LOST',
    message: 'DashScope does not know the task, or no more: it keeps one for a day.',
    hint: 'Call again.',
    retryable: true,
  })

export const taskCancelled = (): SpeechError =>
  failure({ code: 'TASK_LOST', message: 'The task was cancelled at DashScope.', hint: 'Call again.' })

export const resultExpired = (): SpeechError =>
  failure({
    code: 'TASK_LOST',
    message: 'DashScope no longer hands out the task’s result.',
    hint: 'Call again.',
    retryable: true,
  })

export const resultElsewhere = (): SpeechError =>
  failure({
    code: 'TASK_FAILED',
    message: 'DashScope names a place for the result that is none of Alibaba Cloud’s.',
    hint: 'Check DASHSCOPE_BASE_URL.',
  })

export const resultUnreadable = (): SpeechError =>
  failure({ code: 'TASK_FAILED', message: 'The task’s result has an unknown shape.', hint: again })

function failure({ code, message, ...details }: Meaning, cause?: string): SpeechError {
  return new SpeechError(code, message, {
    ...details,
    ...(cause !== undefined && { cause: { code: cause } }),
  })
}
