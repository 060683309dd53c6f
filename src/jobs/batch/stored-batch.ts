// A batch in the store: its job, its recordings, which never change, and what became of each.
import { createHash } from 'node:crypto'
import type { BatchPlan, BatchView, PlannedRecording, RecordingEnd } from '../../domain/batch/batch.ts'
import type { Job } from '../../domain/job.ts'
import type { Store } from '../../domain/ports.ts'
import { idOf } from '../submit/job-id.ts'

export interface StoredBatch extends Pick<BatchPlan, 'copies' | 'unreadable'> {
  recordings: PlannedRecording[]
}

/** By id of the recording's job. */
export type BatchEnds = Map<string, RecordingEnd>

type Owned = Pick<Job, 'owner' | 'id'>

const planKey = (id: string) => `batch:${id}`
const endsKey = (id: string) => `batch-ends:${id}`

/** The same recordings with the same options are the same batch, whatever names they had. */
export function batchId(recordings: PlannedRecording[], format: Job['request']['format']): string {
  const ids = recordings.map(({ id }) => id).sort()
  return `ba_${idOf(createHash('sha256').update(JSON.stringify([format ?? '', ...ids])))}`
}

/** Throws `STORE_*`: a batch is not begun unless it can be found again. */
export function batchRecords(store: Pick<Store, 'getCheckpoint' | 'putCheckpoint'>) {
  return {
    async savePlan({ owner, id }: Owned, { recordings, copies, unreadable }: BatchPlan): Promise<void> {
      const stored: StoredBatch = { recordings, copies, unreadable }
      await store.putCheckpoint(owner, planKey(id), stored, id)
    },
    async readPlan({ owner, id }: Owned): Promise<StoredBatch | undefined> {
      const stored = (await store.getCheckpoint(owner, planKey(id))) as StoredBatch | undefined
      return Array.isArray(stored?.recordings) ? stored : undefined
    },
    async saveEnds({ owner, id }: Owned, ends: BatchEnds): Promise<void> {
      await store.putCheckpoint(owner, endsKey(id), Object.fromEntries(ends), id)
    },
    async readEnds({ owner, id }: Owned): Promise<BatchEnds> {
      const stored = await store.getCheckpoint(owner, endsKey(id))
      return new Map(Object.entries((stored ?? {}) as Record<string, RecordingEnd>))
    },
  }
}

/** The rest of a cancelled batch was cancelled with it; that of another waits for the next order. */
export function viewOf(
  job: Job,
  { recordings, copies, unreadable }: StoredBatch,
  ends: BatchEnds,
): BatchView {
  const { id, tool, state, createdAt, progress, error, terms, request } = job
  const rest: RecordingEnd | undefined = state === 'cancelled' ? { state } : undefined
  return {
    id,
    title: request.title ?? `${recordings.length} recordings`,
    createdAt,
    tool,
    state,
    items: recordings.map(one => ({ ...one, end: ends.get(one.id) ?? rest })),
    copies,
    unreadable,
    progress,
    agreedUsd: terms?.usd,
    error,
  }
}
