// Jobs that do nothing by themselves: a test says what changes, and when what is waited for is over.
import { EventEmitter, once } from 'node:events'
import { SpeechError } from '../../../src/domain/errors.ts'
import type { Job } from '../../../src/domain/job.ts'
import { createKeyedMutex } from '../../../src/domain/waiting/keyed-mutex.ts'
import type { Change, DisconnectReason, Jobs } from '../../../src/jobs/jobs.ts'
import { transcribe } from '../../../src/jobs/transcribe.ts'
import { transcript } from '../transcripts.ts'

export interface FakeJobs extends Jobs {
  /** How many calls wait. */
  waiting(): number
  /** Ends what calls wait for. */
  release(): void
  /** How those went who did not wait for the end. */
  disconnectReasons: DisconnectReason[]
  emitChange(change: Change): void
  /** Number of subscribers. */
  listeners(): number
  /** Followers at the moment, as owner/id. */
  followedIds: string[]
}

/** Each owner has one transcript, `tr_` and the name of the owner. */
export function fakeJobs(): FakeJobs {
  const news = new EventEmitter().setMaxListeners(0)
  const disconnectReasons: DisconnectReason[] = []
  const followedIds: string[] = []
  const own = (owner: string) => ({ ...transcript({ id: `tr_${owner}`, title: `What ${owner} said` }) })
  const jobOf = (owner: string): Job => ({
    id: `tr_${owner}`,
    owner,
    tool: 'transcribe_audio',
    models: ['qwen3-asr-flash'],
    short: false,
    request: { audio: 'a.wav' },
    state: 'completed',
    revision: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  })
  const unused = () => Promise.reject(new Error('No test needs this.'))
  const jobs: FakeJobs = {
    disconnectReasons,
    followedIds,
    transcribe: (request, caller, watch) =>
      transcribe({ ...jobs, prepare: jobs.submit }, request, caller, watch),
    warnings: () => [],
    activeJobs: () => 0,
    spending: unused,
    cancel: unused,
    rename: unused,
    remove: unused,
    format: unused,
    plan: unused,
    limitCost: unused,
    sourcesIn: async () => undefined,
    orderBatch: unused,
    batch: unused,
    recordings: unused,
    recordingsOf: unused,
    save: unused,
    clip: async owner => ({ audio: Buffer.from('MP3'), start: 0, end: 2, transcript: own(owner) }),
    waveform: async () => ({ peaks: [0, 255, 128] }),
    oneAtATime: createKeyedMutex(),
    foldersOpen: false,
    startRecovery: () => {},
    close: async () => {},
    waiting: () => news.listenerCount('release'),
    listeners: () => news.listenerCount('change'),
    release: () => void news.emit('release'),
    emitChange: change => void news.emit('change', change),
    submit: async (_, { owner }) => ({ job: jobOf(owner), cached: false, started: true }),
    async watch(_, { owner, signal, disconnectReason, onProgress }) {
      onProgress?.({ done: 1, total: 2, message: 'Listening' })
      try {
        await once(news, 'release', { signal })
      } catch (error) {
        disconnectReasons.push(disconnectReason?.() ?? 'cancelled')
        throw error
      }
      return jobOf(owner)
    },
    async read(owner, id) {
      if (id === `tr_${owner}`) return own(owner)
      throw new SpeechError('TRANSCRIPT_NOT_FOUND', 'There is no such transcript.', { hint: 'Look for it.' })
    },
    list: async owner => ({ transcripts: [own(owner)] }),
    unfinished: async () => [],
    search: async owner => ({ transcripts: [own(owner)] }),
    subscribe(listener) {
      news.on('change', listener)
      return () => void news.off('change', listener)
    },
    follow(owner, id) {
      followedIds.push(`${owner}/${id}`)
      return () => void followedIds.splice(followedIds.indexOf(`${owner}/${id}`), 1)
    },
  }
  return jobs
}
