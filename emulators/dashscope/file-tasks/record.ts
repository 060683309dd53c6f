// Records of tasks and task requests, for responses and for tests.

export type TaskState = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELED'

/** Times are milliseconds since 1970. */
export interface TaskRecord {
  id: string
  /** Order of its submission, from 0. */
  number: number
  model: string
  /** URL of the file, as submitted. */
  url: string
  parameters: Record<string, unknown> | undefined
  /** The context that the model took, cut at its limit; absent if it takes none. */
  context?: string
  /** The hotwords that the model took: weights by term. */
  vocabulary?: Record<string, number>
  submittedAt: number
  /** Times of its polls. */
  polls: number[]
  state: TaskState
  startedAt?: number
  endedAt?: number
  /** Error code. */
  code?: string
  /** The words in the file, also if the task failed. */
  spokenText?: string
  /** Billed seconds. */
  billed?: number
  /** Number of downloads of its result file. */
  fetches: number
}

/** One request about tasks, also if refused. */
export interface TaskCall {
  at: number
  kind: 'submit' | 'poll' | 'cancel' | 'list' | 'policy'
  /** Task id, once it exists. */
  id?: string
  model?: string
  /** HTTP status of the response; 0 without one. */
  status: number
}

export function newRecord(of: Pick<TaskRecord, 'id' | 'model' | 'url' | 'parameters'>): TaskRecord {
  return { ...of, number: 0, submittedAt: Date.now(), polls: [], state: 'PENDING', fetches: 0 }
}

/** Time format of the service: UTC+8, without a zone. */
export function chinaTime(milliseconds: number): string {
  return new Date(milliseconds + 8 * 3600_000).toISOString().replace('T', ' ').replace('Z', '')
}
