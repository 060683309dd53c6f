// The one error class: a code for programs, a sentence for people, and a hint. `docs/errors.md` is generated from the codes.
import { asLine } from './text.ts'

/** Every code, with its meaning and its remedy. */
export const errors = {
  FILE_NOT_FOUND:
    'No file has this path on the machine where the server runs. Give the full path of one recording.',
  NOT_A_FILE: 'The path names a folder or a device. Give the full path of one recording.',
  EMPTY_FILE: 'The file has no bytes. Copy or download the recording again.',
  NOT_AUDIO: 'The file holds nothing that ffmpeg recognises as audio or video, regardless of its extension.',
  NO_AUDIO_TRACK: 'The video has no audio track.',
  TRACK_NOT_FOUND: 'The file has no such audio track. The message lists those that it has.',
  UNSUPPORTED_CODEC: 'ffmpeg cannot decode this audio. Convert it to another format, or set FFMPEG_PATH.',
  PLAYLIST_REFUSED: 'The file is a playlist that points to other files or URLs. Give the recording itself.',
  OUTSIDE_ALLOWED_DIRS:
    'Move the recording into an allowed folder, save into one, or add the folder to SPEECH_ALLOWED_DIRS.',
  ATTACHMENT_NOT_VISIBLE:
    'A file that was dropped into the chat is on another machine. Save it on this one and give its path, or give an `https://` URL.',
  FILE_EXISTS:
    'Another file has this name: the server did not write it, or somebody has changed it since. Choose another name, or pass `overwrite`.',
  FILE_NOT_WRITABLE:
    'The server may not write the file, or its folder does not exist. Choose another folder, or change its permissions.',
  FILE_UNREADABLE: 'The server may not read the file. Change its permissions.',
  UPLOAD_NOT_FOUND:
    'No ticket or upload has this address, or it belongs to another owner. An upload is deleted a day after it was last transcribed. Ask for a ticket with `request_upload`.',
  UPLOAD_UNFINISHED: 'The recording has not arrived as a whole. Call again when its upload has ended.',
  UPLOAD_REFUSED:
    'The ticket was used or its time is over, or the bytes are not those that were announced. The message says which. Ask for another ticket with `request_upload`.',
  BAD_INPUT: 'An argument does not fit. The message names it and says what is expected.',
  URL_REFUSED:
    'Only public `https://` URLs are downloaded: no host on this machine or a private network, not even after a redirect.',
  DOWNLOAD_FAILED:
    'The URL could not be downloaded. Open it in a browser, download the recording and give its path.',
  TOO_LARGE:
    'The recording exceeds the limit that the message names. Split it; for a download, raise SPEECH_MAX_DOWNLOAD_MB or give a path.',
  IMPLAUSIBLE_LENGTH:
    'The file says that it has fewer than 4,000 samples a second, or yields more sound than its bytes can hold. It would be billed as hours of noise, so it is not sent. Save or convert the recording again.',
  FFMPEG_MISSING:
    'Run `apt install ffmpeg`, `brew install ffmpeg` or `winget install ffmpeg`. Or run `npm install ffmpeg-static`, or set FFMPEG_PATH.',
  FFMPEG_HUNG:
    'ffmpeg did nothing for a minute and was ended. Check that the disk or share with the recording responds, and call again. Otherwise convert the recording, or set FFMPEG_PATH to another ffmpeg.',
  FFMPEG_FAILED: 'ffmpeg ended unexpectedly. Call again. If it happens again, run `doctor`, and report it.',
  KEY_MISSING:
    'Set DASHSCOPE_API_KEY. Where the message names Gemini, set GEMINI_API_KEY, from Google AI Studio; where it names OPENAI_BASE_URL, OPENAI_API_KEY.',
  KEY_REFUSED:
    'Use a key of the Singapore region, or set DASHSCOPE_BASE_URL to that of the key’s region. Where the message names Gemini, check GEMINI_API_KEY; where it names OPENAI_BASE_URL, OPENAI_API_KEY.',
  ACCOUNT_IN_ARREARS:
    'Pay the bill of the Model Studio account. Where the message names Gemini, check the billing of that key.',
  FREE_TIER_USED_UP:
    'The free quota of the model is used up. Name another model, or switch off “use free tier only” in the console.',
  ACCESS_DENIED:
    'Activate Model Studio and the model for the key’s workspace. For Gemini, check the key’s restrictions and whether your country is served.',
  MODEL_NOT_FOUND: 'Correct the name of the model: ASR_MODEL, SPEAKER_MODEL, FILE_MODEL or FORMAT_MODELS.',
  WRONG_BASE_URL:
    'Correct DASHSCOPE_BASE_URL (it ends in `/api/v1`), GEMINI_BASE_URL (`/v1beta`) or OPENAI_BASE_URL (`/v1`).',
  THROTTLED: 'The provider’s rate limit was reached for minutes. Wait, or lower SPEECH_CONCURRENCY.',
  PROVIDER_REFUSED:
    'The provider does not accept this audio or text. Look up the code in the message in Model Studio’s error reference.',
  PROVIDER_FAILED: 'The provider failed, also after several attempts. Call again in a minute.',
  PROVIDER_UNREACHABLE:
    'The provider could not be reached, also after several attempts. Check network and proxy, and call again in a minute.',
  PROVIDER_TIMEOUT:
    'The provider did not answer in time, also after several attempts. Call again in a minute.',
  CONTENT_REFUSED:
    'The provider’s content check refused this audio or text. Another provider in FORMAT_MODELS may accept a text.',
  BUCKET_REFUSED:
    'The bucket refused the request. The message says whether the key, its rights or its token are wrong; `doctor` checks all of them.',
  BUCKET_NOT_FOUND: 'The bucket’s name, endpoint or region is wrong; `doctor` checks all of them.',
  CLOCK_WRONG: 'Signatures are valid for 15 minutes. Set the machine’s clock by network time.',
  UPLOAD_FAILED:
    'The recording could not be uploaded, also after several attempts. No part of it is left there; call again in a minute.',
  UPLOAD_UNREACHABLE:
    'DashScope could not download the upload, also from a new URL. Check whether the bucket’s policy excludes other addresses than yours.',
  SUBMIT_UNCLEAR:
    'The response to a billed request was lost, so the request was not repeated. Check the Model Studio console before you call again.',
  TASK_FAILED: 'DashScope could not process the file. The same call repeats only the missing parts.',
  TASK_LOST:
    'DashScope deleted the task, which it does after a day. The same call repeats only the missing parts.',
  TASK_TIMEOUT: 'DashScope did not finish in time. The same call repeats only the missing parts.',
  TRANSCRIPT_NOT_FOUND:
    'Look the id up with `search_transcripts`, among the resources, or with `node dist/main.js export`.',
  COST_TOO_HIGH:
    'The recording or the text, with all its parts, would cost more than SPEECH_MAX_COST_USD; nothing more was sent. Give a shorter one, or raise the limit.',
  DAY_LIMIT_REACHED:
    'The order would cost more than is left of SPEECH_MAX_COST_USD_PER_DAY; nothing more was sent. Call again after 00:00 UTC, or raise the limit. What costs nothing still works.',
  PRICE_UNKNOWN:
    'SPEECH_MAX_COST_USD or SPEECH_MAX_COST_USD_PER_DAY is set, but the price of the model is unknown. Nothing was sent. Give the price in SPEECH_MODELS, or unset the limit.',
  RECORDING_CHANGED:
    'The file changed after the job was submitted, or after it was transcribed: a clip would hold other words. Transcribe it again.',
  RECORDING_LOST:
    'The recording is gone. Missing in the bucket, perhaps because of a short lifecycle rule: the same call on a machine that has the file uploads it again. For a clip: transcribe it from where it is now, which costs nothing if it is the same.',
  POISON:
    'The server process ended five times in a row during this recording, each time before it made progress; it is not retried automatically. Convert the recording to another format, or look for the reason in the log. The same call starts again; finished parts are not billed again.',
  CALL_TIMEOUT:
    'The server could not answer within the time of the call, as a disk or the store responds slowly, or a file of many hours is made. What was begun goes on, also an export: look at its path, or repeat the call.',
  BUSY: 'You have 200 recordings waiting, or 100 texts being formatted. Call again after some of them have ended.',
  STORE_FAILED:
    'The store does not answer. `doctor` names the data folder or the Tablestore instance, and the reason.',
  STORE_REFUSED:
    'Tablestore refused the request: the key is wrong or expired, lacks the right that the message names, or the instance is closed to this network. See docs/team.md for the policies; `doctor` checks them.',
  STORE_NOT_SET_UP:
    'The tables do not exist. Run `doctor` once with a key that may create them. Or correct TABLESTORE_ENDPOINT, TABLESTORE_INSTANCE or TABLESTORE_PREFIX.',
  STORE_DAMAGED:
    'The database is damaged. It is kept beside a new one, as `speech.db.damaged-…`; what can be read is copied.',
  STORE_TOO_NEW: 'A newer version of this program wrote the store. Use that version.',
  QUEUE_FAILED: 'MNS does not answer. Check the network and MNS_ENDPOINT, and call again in a minute.',
  QUEUE_REFUSED:
    'MNS refused the request: the key is wrong or expired, or lacks the right that the message names. See docs/team.md for the policies; `doctor` checks them.',
  QUEUE_NOT_SET_UP:
    'The queues do not exist. Run `doctor` once with a key that may create them. Or correct MNS_ENDPOINT or MNS_QUEUE.',
  DISK_FULL: 'The disk is full. Free some space and call again.',
  CONFIG_INVALID: 'A setting does not fit. The message names it and says what is expected.',
  CANCELLED: 'The client, the user or `cancel_transcription` stopped the job. The same call continues it.',
  INTERNAL: 'The server has a defect. Run `doctor`, and report it if it happens again.',
} as const satisfies Record<string, string>
export type ErrorCode = keyof typeof errors

/** Every other recording would meet them as well: account, settings, the limit of a day, the machine and its services. */
const common: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(['KEY_MISSING', 'KEY_REFUSED', 'ACCOUNT_IN_ARREARS', 'FREE_TIER_USED_UP', 'ACCESS_DENIED'] as const),
  ...(['MODEL_NOT_FOUND', 'WRONG_BASE_URL', 'PROVIDER_UNREACHABLE', 'PRICE_UNKNOWN'] as const),
  ...(['DAY_LIMIT_REACHED', 'BUCKET_REFUSED', 'BUCKET_NOT_FOUND', 'CLOCK_WRONG', 'FFMPEG_MISSING'] as const),
  ...(['STORE_FAILED', 'STORE_REFUSED', 'STORE_NOT_SET_UP', 'STORE_DAMAGED', 'STORE_TOO_NEW'] as const),
  ...(['QUEUE_FAILED', 'QUEUE_REFUSED', 'QUEUE_NOT_SET_UP', 'DISK_FULL', 'CONFIG_INVALID'] as const),
])

/** True for an error that stops a batch. */
export function isCommon(code: ErrorCode): boolean {
  return common.has(code)
}

export interface ErrorDetails {
  /** One sentence that says what to do next. */
  hint: string
  /** True if the same request may succeed when repeated. */
  retryable?: boolean
  /** `account`: every other request would fail the same way; `model`: every other one to this model. */
  scope?: 'account' | 'model' | 'request'
  cause?: unknown
}

/** An error the reader can act on. `message` never contains a secret or a provider's text. */
export class SpeechError extends Error {
  readonly code: ErrorCode
  readonly hint: string
  readonly retryable: boolean
  readonly scope: 'account' | 'model' | 'request'

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'SpeechError'
    this.code = code
    this.hint = details.hint
    this.retryable = details.retryable ?? false
    this.scope = details.scope ?? 'request'
  }
}

export function isSpeechError(error: unknown): error is SpeechError {
  return error instanceof SpeechError
}

/** Code of any error, for logs and metrics. */
export function codeOf(error: unknown): ErrorCode {
  return isSpeechError(error) ? error.code : 'INTERNAL'
}

/** Formats an error for users and models: `CODE: what failed. What to do next.` */
export function describeError(error: unknown): string {
  if (isSpeechError(error)) return `${error.code}: ${asLine(`${error.message} ${error.hint}`)}`
  if ((error as { code?: unknown } | null)?.code === 'ERR_MODULE_NOT_FOUND')
    return 'INTERNAL: Files of the program are missing: it was updated or removed while it ran. Start the server again.'
  return 'INTERNAL: The server failed unexpectedly. Check its log on stderr, and report the error if it happens again.'
}

/** True for the operating system's and SQLite's codes for a full disk. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG' || code === 'SQLITE_FULL'
}

export function cancelled(cause?: unknown): SpeechError {
  return new SpeechError('CANCELLED', 'The call was cancelled.', {
    hint: 'Repeat the call to continue.',
    cause,
  })
}
