// Jobs without a server: the real store and the real pipeline, and a recogniser that answers when the test says so. Several
// harnesses on one folder are to each other what processes on different machines are.
import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Job, JobTool, TranscriptionRequest } from '../../../src/domain/job.ts'
import type { FileRecogniserList } from '../../../src/domain/models/file-recogniser-list.ts'
import type { Downloader } from '../../../src/domain/network/downloader.ts'
import type { UploadSource } from '../../../src/domain/network/uploads.ts'
import type { FileRecogniser, ObjectStorage, Store } from '../../../src/domain/ports.ts'
import type { Lane, Queue } from '../../../src/domain/queue.ts'
import type { TextModel } from '../../../src/domain/text-model.ts'
import type { Transcript } from '../../../src/domain/transcript.ts'
import { createFairLimit } from '../../../src/domain/waiting/fair-limit.ts'
import { unlessAborted } from '../../../src/domain/waiting/unless-aborted.ts'
import { inProcessQueue } from '../../../src/drivers/queue/in-process.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { createJobs, type Jobs } from '../../../src/jobs/jobs.ts'
import type { CostLimits } from '../../../src/jobs/records/allowances.ts'
import type { Submitted } from '../../../src/jobs/submit/submit.ts'
import type { LocateFfmpeg } from '../../../src/pipeline/audio/ffmpeg.ts'
import { textHash } from '../../../src/pipeline/audio/fingerprint.ts'
import { locateTestFfmpeg } from '../audio/ffmpeg.ts'
import { synthesise } from '../audio/synthetic-speech.ts'
import { wavOf } from '../audio/wav.ts'

export const owner = 'ann'

export interface Workspace {
  folder: string
  /** Speech in as many chunks as `chunks` says. */
  recording: string
  chunks: number
  /** A process of its own with this data; closed with the workspace. */
  open(options?: HarnessOptions): Promise<Harness>
  close(): Promise<void>
}

export interface HarnessOptions {
  workerId?: string
  model?: string
  /** Of the recogniser. Default: 0. */
  usdPerSecond?: number | 'unknown'
  limits?: CostLimits
  /** Called with the number of each request, from 0; a string is the recognised text. Default: answers at once. */
  recognise?: (n: number) => Promise<unknown>
  /** Stands between jobs and the store. */
  store?: (store: Store) => Store
  concurrency?: Record<Lane, number>
  blobs?: Partial<ObjectStorage>
  fileRecognisers?: { speakerRecognisers: FileRecogniserList; fileRecognisers: FileRecogniserList }
  downloader?: Downloader
  uploads?: UploadSource
  ffmpeg?: LocateFfmpeg
  /** Shared with other machines; it carries out what is ordered only where it `serves`. */
  cluster?: { store: Store; queue: Queue; serves: boolean }
  /** Default: those of the workspace. */
  allowedDirs?: string[]
  textModel?: TextModel
  /** Given with every request. */
  allowUnsaved?: boolean
}

export interface Harness {
  workerId: string
  jobs: Jobs
  /** The store itself, without what comes between. */
  store: Store
  /** Hashes of the audio that was sent. */
  requests: string[]
  /** Submits the request, and waits for its end. */
  transcribe(request?: Partial<TranscriptionRequest>): Promise<{ job: Job; cached: boolean }>
  submit(request?: Partial<TranscriptionRequest>, tool?: JobTool): Promise<Submitted>
  waitForEnd(id: string): Promise<Job>
  stored(id: string): Promise<{ job?: Job | undefined; transcript?: Transcript | undefined }>
  close(): Promise<void>
}

export async function createWorkspace(chunks = 3): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-jobs-'))
  const recording = join(folder, 'talk.wav')
  await writeFile(recording, spokenWav(chunks))
  const harnesses: Harness[] = []
  return {
    folder,
    recording,
    chunks,
    async open(options = {}) {
      const harness = await openHarness(folder, recording, options)
      harnesses.push(harness)
      return harness
    },
    async close() {
      for (const harness of harnesses) await harness.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const spoken = new Map<string, Buffer>()

/** Passages of two seconds, with silences that end a chunk; the same bytes for the same numbers. */
export function spokenWav(chunks: number, seed = 1): Buffer {
  const key = `${chunks} ${seed}`
  const wav = spoken.get(key) ?? makeSpokenWav(chunks, seed)
  spoken.set(key, wav)
  return Buffer.from(wav)
}

function makeSpokenWav(chunks: number, seed: number): Buffer {
  const passage = [
    { kind: 'sentences', seconds: 2 },
    { kind: 'silence', seconds: 21 },
  ] as const
  const { samples } = synthesise(Array.from({ length: chunks }, () => passage).flat(), seed)
  return wavOf(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength))
}

const unusedRecogniser: FileRecogniser = {
  model: 'unused',
  key: 'unused',
  limits: { maxSeconds: 1, maxBytes: 1 },
  capabilities: { text: true, speakers: true },
  submit: () => Promise.reject(new Error('No test needs this.')),
  status: () => Promise.reject(new Error('No test needs this.')),
  now: async () => Date.now(),
  listTasks: async () => [],
  cancel: async () => {},
}

/** A list of one, which never goes away. */
export function listOf(recogniser: FileRecogniser): FileRecogniserList {
  return {
    members: [recogniser],
    available: async () => [recogniser],
    ask: attempt => attempt(recogniser, () => {}),
  }
}

const unusedTextModel: TextModel = {
  models: [],
  concurrency: 1,
  generate: () => Promise.reject(new Error('No test needs this.')),
}

async function openHarness(folder: string, recording: string, options: HarnessOptions): Promise<Harness> {
  const {
    workerId = `machine-${randomBytes(4).toString('hex')}/1//mark`,
    model = 'fake-asr',
    recognise = async () => {},
  } = options
  const { cluster } = options
  const store = cluster?.store ?? sqliteStore({ folder: join(folder, 'data') })
  const requests: string[] = []
  const jobs = createJobs({
    workerId,
    store: options.store?.(store) ?? store,
    queue: cluster?.queue ?? inProcessQueue(options.concurrency ?? { short: 8, long: 2, remote: 8 }),
    ...(cluster && { shared: true, runsJobs: cluster.serves }),
    scratchDir: join(folder, cluster ? workerId.replaceAll('/', '_') : '', 'scratch'),
    drain: async () => {},
    ...(options.limits && { limits: options.limits }),
    pipeline: {
      recogniser: {
        model,
        takes: { context: 'system' },
        usdPerSecond: options.usdPerSecond === 'unknown' ? undefined : (options.usdPerSecond ?? 0),
        limits: { maxSeconds: 150, minSeconds: 1, concurrency: 4 },
        async recognise({ audio }, signal) {
          const n = requests.push(textHash(audio)) - 1
          const answer = await unlessAborted(recognise(n), signal)
          const text =
            typeof answer === 'string' ? answer : `${model} recognised ${textHash(audio).slice(0, 6)}.`
          return { text, language: 'en' }
        },
      },
      textModel: options.textModel ?? unusedTextModel,
      speakerRecognisers: listOf(unusedRecogniser),
      fileRecognisers: listOf(unusedRecogniser),
      ...options.fileRecognisers,
      objectStorage: {
        way: 'temporary',
        upload: () => Promise.reject(new Error('No test needs this.')),
        signedUrl: async () => 'https://bucket.example/a.mp3',
        delete: async () => {},
        sweep: async () => 0,
        close: async () => {},
        ...options.blobs,
      },
      pollSeconds: 0.02,
      taskTimeoutSeconds: () => 30,
      limitEncoding: createFairLimit(2),
      limitSubmits: createFairLimit(1),
      downloader: options.downloader ?? {
        download: () => Promise.reject(new Error('No test needs this.')),
        identify: () => Promise.reject(new Error('No test needs this.')),
      },
      ...(options.uploads && { uploads: options.uploads }),
      ffmpeg: options.ffmpeg ?? locateTestFfmpeg,
      allowedDirs: options.allowedDirs ?? [folder],
      maxDownloadBytes: 1e9,
    },
  })
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  const caller = { owner, signal, allowUnsaved: options.allowUnsaved }
  const submit: Harness['submit'] = (request, tool = 'transcribe_audio') =>
    jobs.submit({ audio: recording, ...request }, { ...caller, tool })
  const waitForEnd = (id: string) => jobs.watch(id, caller)
  let closing: Promise<void> | undefined
  return {
    workerId,
    jobs,
    store,
    requests,
    submit,
    waitForEnd,
    async transcribe(request) {
      const { job, cached } = await submit(request)
      return { job: cached ? job : await waitForEnd(job.id), cached }
    },
    stored: async id => ({
      job: await store.getJob(owner, id),
      transcript: await store.getTranscript(owner, id),
    }),
    close: () => (closing ??= jobs.close().then(() => store.close())),
  }
}

/** Stores a transcript with its job, as an earlier call has left them. */
export async function storeTranscript(
  { store }: Pick<Harness, 'store'>,
  transcript: Transcript,
): Promise<void> {
  const { id, createdAt, title, model } = transcript
  await store.addJob({
    id,
    owner,
    tool: transcript.speakers ? 'diarize_audio' : 'transcribe_audio',
    models: [model],
    short: false,
    request: { audio: '/talk.wav', title },
    state: 'completed',
    revision: 1,
    createdAt,
    updatedAt: createdAt,
  })
  await store.putTranscript(owner, transcript)
}

/** A latch that a test opens. */
export function createLatch() {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { open: () => open(), opened }
}
