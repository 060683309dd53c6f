// Tasks in memory: their state, their questions to the client, and their end.
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type CallToolResult, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import type { Requests } from './rounds.ts'

export interface TaskRun {
  sleep(ms: number): Promise<void>
  /** Resolves when the client has answered all. */
  ask(requests: Requests): Promise<void>
}

export type TaskWork = (run: TaskRun) => Promise<CallToolResult>

type Status = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled'

export type Task = ReturnType<typeof createTask>

const tasks = new Map<string, Task>()

export function findTask(id: string): Task {
  const task = tasks.get(id)
  if (!task) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'There is no such task.')
  return task
}

export function createTask(work: TaskWork) {
  const taskId = randomBytes(16).toString('base64url')
  const createdAt = new Date().toISOString()
  const stop = new AbortController()
  let lastUpdatedAt = createdAt
  let status: Status = 'working'
  let end: { result?: object; error?: object } = {}
  let open: Requests = {}
  let onAnswered = () => {}

  function change(next: Status, with_: typeof end = {}): void {
    if (!['working', 'input_required'].includes(status)) return
    status = next
    end = with_
    lastUpdatedAt = new Date().toISOString()
  }

  const run: TaskRun = {
    sleep: ms => pause(ms, undefined, { signal: stop.signal }),
    ask(requests) {
      open = { ...requests }
      change('input_required')
      return new Promise(resolve => {
        onAnswered = resolve
      })
    },
  }
  void Promise.resolve(run)
    .then(work)
    .then(
      result => change('completed', { result: { resultType: 'complete', ...result } }),
      (error: ProtocolError) => change('failed', { error: { code: error.code, message: error.message } }),
    )

  const task = {
    head: () => ({ taskId, status, createdAt, lastUpdatedAt, ttlMs: 60_000, pollIntervalMs: 100 }),
    describe: () => ({ ...task.head(), ...(status === 'input_required' && { inputRequests: open }), ...end }),
    update(answers: object) {
      for (const key of Object.keys(answers)) delete open[key]
      if (status === 'input_required' && Object.keys(open).length === 0) {
        change('working')
        onAnswered()
      }
      return {}
    },
    cancel() {
      change('cancelled')
      stop.abort()
      return {}
    },
  }
  tasks.set(taskId, task)
  return task
}
