// What the stand-in remembers of a task, for its own answers and for tests that look at them.

export type TaskState = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELED'

/** Times are milliseconds since 1970. */
export interface TaskRecord {
  id: string
  model: string
  /** The file, as the task was given its address. */
  url: string
  parameters: Record<string, unknown> | undefined
  submittedAt: number
  /** When each question for it came. */
  polls: number[]
  state: TaskState
  startedAt?: number
  endedAt?: number
  /** Why it failed. */
  code?: string
  /** What is said in the file, whatever was answered. */
  spokenText?: string
  /** Seconds that are billed. */
  billed?: number
  /** How often its result file was fetched. */
  fetches: number
}

/** One request at the doors of the tasks, refused ones among them. */
export interface TaskCall {
  at: number
  kind: 'submit' | 'poll' | 'cancel' | 'list' | 'policy'
  /** The task, once there is one. */
  id?: string
  model?: string
  /** What was answered; 0 before, and when nothing was. */
  status: number
}

export function newRecord(of: Pick<TaskRecord, 'id' | 'model' | 'url' | 'parameters'>): TaskRecord {
  return { ...of, submittedAt: Date.now(), polls: [], state: 'PENDING', fetches: 0 }
}

/** As the service writes times: without a zone, eight hours ahead of UTC. */
export function chinaTime(milliseconds: number): string {
  return new Date(milliseconds + 8 * 3600_000).toISOString().replace('T', ' ').replace('Z', '')
}
