// Jobs without a server: the real store and the real pipeline, and ears that answer when the test says so. Several
// houses on one folder are to each other what processes on different machines are.
import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pLimit from 'p-limit'
import type { Job, JobTool, TranscriptionRequest } from '../../../src/domain/job.ts'
import type { Downloader, FileRecogniser, ObjectStorage, Store } from '../../../src/domain/ports.ts'
import type { Lane, Queue } from '../../../src/domain/queue.ts'
import type { TextModel } from '../../../src/domain/text-model.ts'
import type { Transcript } from '../../../src/domain/transcript.ts'
import { inProcessQueue } from '../../../src/drivers/queue/in-process.ts'
import { sqliteStore } from '../../../src/drivers/store/sqlite/sqlite.ts'
import { createJobs, type Jobs } from '../../../src/jobs/jobs.ts'
import { textHash } from '../../../src/pipeline/audio/fingerprint.ts'
import { testFfmpeg } from '../audio/ffmpeg.ts'
import { rate, synthesise } from '../audio/synthetic-speech.ts'

export const me = 'ann'

export interface Site {
  folder: string
  /** Speech in as many chunks as `chunks` says. */
  recording: string
  chunks: number
  /** A process of its own with this data; closed with the site. */
  open(wish?: HouseOptions): Promise<House>
  close(): Promise<void>
}

export interface HouseOptions {
  name?: string
  model?: string
  /** What the ears do with the request of this number, the first being 0; a text is what they hear. Default: they answer at once. */
  hear?: (n: number) => Promise<unknown>
  /** What comes between jobs and the store. */
  store?: (store: Store) => Store
  rooms?: Record<Lane, number>
  blobs?: Partial<ObjectStorage>
  ears?: { speakerRecogniser?: FileRecogniser; fileRecogniser?: FileRecogniser }
  downloader?: Downloader
  /** What it shares with other machines; it carries out what is ordered only where it `serves`. */
  team?: { store: Store; queue: Queue; serves: boolean }
  /** Default: those of the site. */
  allowedDirs?: string[]
  textModel?: TextModel
}

export interface House {
  name: string
  jobs: Jobs
  /** The store itself, without what comes between. */
  store: Store
  /** Hashes of the audio that was sent. */
  asked: string[]
  /** Places the order, and waits for its end. */
  transcribe(order?: Partial<TranscriptionRequest>): Promise<{ job: Job; answered: boolean }>
  submit(order?: Partial<TranscriptionRequest>, tool?: JobTool): Promise<{ job: Job; answered: boolean }>
  over(id: string): Promise<Job>
  stored(id: string): Promise<{ job?: Job | undefined; transcript?: Transcript | undefined }>
  close(): Promise<void>
}

export async function startSite(chunks = 3): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'speech-mcp-jobs-'))
  const recording = join(folder, 'talk.wav')
  await writeFile(recording, spokenWav(chunks))
  const houses: House[] = []
  return {
    folder,
    recording,
    chunks,
    async open(wish = {}) {
      const house = await openHouse(folder, recording, wish)
      houses.push(house)
      return house
    },
    async close() {
      for (const house of houses) await house.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Passages of two seconds, with silences that end a chunk. */
export function spokenWav(chunks: number, seed = 1): Buffer {
  const passage = [
    { kind: 'sentences', seconds: 2 },
    { kind: 'silence', seconds: 21 },
  ] as const
  const { samples } = synthesise(Array.from({ length: chunks }, () => passage).flat(), seed)
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  const head = Buffer.alloc(44)
  head.write('RIFF____WAVEfmt \x10\0\0\0\x01\0\x01\0____', 'latin1')
  head.writeUInt32LE(data.length + 36, 4)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(2 * rate, 28)
  head.write('\x02\0\x10\0data', 32, 'latin1')
  head.writeUInt32LE(data.length, 40)
  return Buffer.concat([head, data])
}

const deaf: FileRecogniser = {
  model: 'deaf',
  limits: { maxSeconds: 1, maxBytes: 1 },
  capabilities: { text: true, speakers: true },
  submit: () => Promise.reject(new Error('No test needs this.')),
  status: () => Promise.reject(new Error('No test needs this.')),
  listTasks: async () => [],
  cancel: async () => {},
}

const mute: TextModel = {
  models: [],
  concurrency: 1,
  generate: () => Promise.reject(new Error('No test needs this.')),
}

async function openHouse(folder: string, recording: string, wish: HouseOptions): Promise<House> {
  const {
    name = `machine-${randomBytes(4).toString('hex')}/1//mark`,
    model = 'ears',
    hear = async () => {},
  } = wish
  const ffmpeg = await testFfmpeg()
  const { team } = wish
  const store = team?.store ?? sqliteStore({ folder: join(folder, 'data') })
  const asked: string[] = []
  const jobs = createJobs({
    name,
    store: wish.store?.(store) ?? store,
    queue: team?.queue ?? inProcessQueue(wish.rooms ?? { brief: 8, long: 2, remote: 8 }),
    ...(team && { shared: true, runsJobs: team.serves }),
    scratchDir: join(folder, team ? name.replaceAll('/', '_') : '', 'scratch'),
    drain: async () => {},
    pipeline: {
      recogniser: {
        model,
        limits: { maxSeconds: 150, minSeconds: 1, concurrency: 4 },
        async recognise({ audio }, signal) {
          const n = asked.push(textHash(audio)) - 1
          const heard = await unlessAborted(hear(n), signal)
          const text = typeof heard === 'string' ? heard : `${model} heard ${textHash(audio).slice(0, 6)}.`
          return { text, language: 'en' }
        },
      },
      textModel: wish.textModel ?? mute,
      speakerRecogniser: deaf,
      fileRecogniser: deaf,
      ...wish.ears,
      blobs: {
        way: 'temporary',
        upload: () => Promise.reject(new Error('No test needs this.')),
        signedUrl: async () => 'https://bucket.example/a.mp3',
        delete: async () => {},
        sweep: async () => 0,
        close: async () => {},
        ...wish.blobs,
      },
      pollSeconds: 0.02,
      taskTimeoutSeconds: () => 30,
      limitEncoding: pLimit(2),
      limitSubmits: pLimit(1),
      downloader: wish.downloader ?? {
        download: () => Promise.reject(new Error('No test needs this.')),
        identify: () => Promise.reject(new Error('No test needs this.')),
      },
      ffmpeg: async () => ffmpeg,
      allowedDirs: wish.allowedDirs ?? [folder],
      maxDownloadBytes: 1e9,
    },
  })
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  const caller = { owner: me, signal }
  const submit: House['submit'] = (order, tool = 'transcribe_audio') =>
    jobs.submit({ audio: recording, ...order }, { ...caller, tool })
  const over = (id: string) => jobs.watch(id, caller)
  let closing: Promise<void> | undefined
  return {
    name,
    jobs,
    store,
    asked,
    submit,
    over,
    async transcribe(order) {
      const { job, answered } = await submit(order)
      return { job: answered ? job : await over(job.id), answered }
    },
    stored: async id => ({
      job: await store.getJob(me, id),
      transcript: await store.getTranscript(me, id),
    }),
    close: () => (closing ??= jobs.close().then(() => store.close())),
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {}
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
  })
  signal.throwIfAborted()
  return Promise.race([work, stopped]).finally(() => signal.removeEventListener('abort', stop))
}

/** A gate that a test opens. */
export function createLatch() {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { open: () => open(), opened }
}
