// Deadlines of calls, and of all work that waits for another machine or program, one for each kind. `docs/deadlines.md` is generated from them.

/** The times of one request. */
export interface Deadline {
  /** Time without a byte. */
  idleSeconds: number
  /** From the last byte of the request to the last one of its answer. */
  totalSeconds: number
  /** A body may take longer to be sent or fetched: its bytes at this rate, in addition. */
  minBytesPerSecond?: number
}

export interface KindOfWork extends Partial<Deadline> {
  /** As the table names it. */
  work: string
  /** Consequence of a missed deadline. */
  afterwards: string
}

/** Until a connection is open, through a proxy as well. */
export const connectSeconds = 10

/**
 * A pause that a server asks for (`Retry-After`) is kept up to this length. A longer one is cut to it once; after that the
 * request fails, and its message says how long the server asked to wait.
 */
export const maxRetryAfterSeconds = 120

const twoAttempts = '`PROVIDER_TIMEOUT`, after two attempts'

export const deadlines = {
  waitingCall: {
    work: 'Call of a tool with `wait_seconds`, in addition to those',
    totalSeconds: 1,
    afterwards:
      '`CALL_TIMEOUT`; what was begun goes on. A recording that is read or transcribed is `running` before that',
  },
  call: {
    work: 'Call of another tool; request for a resource, prompt or completion',
    totalSeconds: 5,
    afterwards: '`CALL_TIMEOUT`; what was begun goes on',
  },
  clip: {
    work: 'Clip of a recording, with the time for those that its owner asked for before',
    totalSeconds: 50,
    afterwards: '`CALL_TIMEOUT`; its ffmpeg is ended',
  },
  waveform: {
    work: 'Peaks of a recording, for the page that shows its transcript',
    totalSeconds: 600,
    afterwards: 'the page shows who speaks when, without them',
  },
  ffmpeg: {
    work: 'ffmpeg, while its output is awaited',
    idleSeconds: 60,
    afterwards: '`FFMPEG_HUNG`; it is ended with all that it has started',
  },
  chunk: {
    work: 'Recognition of a chunk by Model Studio',
    idleSeconds: 120,
    totalSeconds: 180,
    minBytesPerSecond: 4_000,
    afterwards: twoAttempts,
  },
  // An engine on a CPU may take minutes for a chunk, and sends nothing before.
  engine: {
    work: 'Recognition of a chunk by a server with OpenAI’s API',
    idleSeconds: 600,
    totalSeconds: 660,
    minBytesPerSecond: 4_000,
    afterwards: '`PROVIDER_TIMEOUT`, without another attempt',
  },
  chunkTask: {
    work: 'File task of one chunk, at a server of your own',
    totalSeconds: 600,
    afterwards: '`TASK_TIMEOUT`',
  },
  // The time in the provider's queue; it processes a recording at 60 times its speed.
  fileTask: {
    work: 'File task, in addition to the length of its recording',
    totalSeconds: 240,
    afterwards: '`TASK_TIMEOUT`',
  },
  task: {
    work: 'Submit, status, list and cancel of file tasks',
    idleSeconds: 30,
    totalSeconds: 60,
    afterwards:
      'a submit: `SUBMIT_UNCLEAR`, then a search for its task; a status: asked again until the task’s own deadline, `TASK_TIMEOUT`',
  },
  result: {
    work: 'Result of a file task',
    idleSeconds: 60,
    totalSeconds: 300,
    afterwards: `${twoAttempts}; the task is asked again until its own deadline`,
  },
  uploadPolicy: {
    work: 'Permission for an upload to Model Studio’s temporary store',
    idleSeconds: 30,
    totalSeconds: 60,
    afterwards: '`UPLOAD_FAILED`, after four attempts',
  },
  upload: {
    work: 'Upload of a recording to that store',
    idleSeconds: 60,
    totalSeconds: 60,
    minBytesPerSecond: 16_000,
    afterwards: '`UPLOAD_FAILED`, after four attempts',
  },
  // The models do not think, and another one is available.
  text: {
    work: 'Answer of a text model, streamed',
    idleSeconds: 60,
    totalSeconds: 300,
    afterwards: 'the next model of FORMAT_MODELS; after the last one `PROVIDER_TIMEOUT`',
  },
  download: {
    work: 'Download of a recording from a URL',
    idleSeconds: 60,
    totalSeconds: 60,
    minBytesPerSecond: 32_000,
    afterwards: '`DOWNLOAD_FAILED`',
  },
  bucketRequest: {
    work: 'Request to the bucket',
    totalSeconds: 30,
    afterwards: '`UPLOAD_FAILED`, after six attempts',
  },
  bucketTransfer: {
    work: 'Part of a recording (1 MB or more) to or from the bucket',
    totalSeconds: 240,
    afterwards: '`UPLOAD_FAILED`, after six attempts',
  },
  store: {
    work: 'Request to Tablestore',
    idleSeconds: 5,
    totalSeconds: 10,
    afterwards: '`STORE_FAILED`; the total holds for all attempts',
  },
  queue: {
    work: 'Request to MNS',
    idleSeconds: 5,
    totalSeconds: 10,
    afterwards: '`QUEUE_FAILED`; the total holds for all attempts',
  },
  queuePoll: {
    work: 'Waiting for a message of MNS',
    totalSeconds: 45,
    afterwards: 'the next poll, after a pause',
  },
  login: {
    work: 'Metadata and keys of the identity provider, all requests together',
    idleSeconds: 5,
    totalSeconds: 10,
    afterwards: 'its last keys hold for a day; without any, calls get status 503',
  },
  doctorCheck: {
    work: 'A check of `doctor`',
    totalSeconds: 10,
    afterwards: 'the check fails',
  },
  doctorModel: {
    work: '`doctor` asks a model',
    totalSeconds: 15,
    afterwards: 'the model is shown as refused',
  },
  // An engine may load its model with the first request; a new search index is usually ready within a minute.
  doctorSlow: {
    work: '`doctor` tests the bucket, asks an engine of your own, or creates tables and queues',
    totalSeconds: 60,
    afterwards: 'the check fails',
  },
  stdioShutdown: {
    work: 'Paid requests, when a client ends the server',
    totalSeconds: 1,
    afterwards: 'they are cut off; the next start continues the jobs',
  },
  shutdown: {
    work: 'Paid requests, when `http` or a `worker` is stopped (a worker before that: SPEECH_DRAIN_SECONDS for its jobs)',
    totalSeconds: 10,
    afterwards: 'they are cut off; the next start or another worker continues the jobs',
  },
} as const satisfies Record<string, KindOfWork>
