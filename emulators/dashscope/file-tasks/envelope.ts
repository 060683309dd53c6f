// What a task's state looks like on the wire, in both families.
import { randomUUID } from 'node:crypto'
import { chinaTime, type TaskRecord } from './record.ts'
import type { TaskOrder } from './request.ts'
import type { Ending } from './run-task.ts'

export interface Task {
  order: TaskOrder
  record: TaskRecord
  ending?: Ending
  /** Where its result file lies. */
  path?: string
}

/** The answer to a poll. `address` signs the result file. */
export function pollAnswer(task: Task, address: (path: string) => string): object {
  const { record, order, ending } = task
  const { id, state, submittedAt, startedAt, endedAt } = record
  const output = {
    task_id: id,
    task_status: state,
    submit_time: chinaTime(submittedAt),
    ...(startedAt === undefined ? {} : { scheduled_time: chinaTime(startedAt) }),
    ...(endedAt === undefined ? {} : { end_time: chinaTime(endedAt) }),
  }
  const results = resultsOf(task, address)
  const usage = record.billed === undefined ? {} : { usage: usageOf(order, record.billed) }
  const hasMetrics = order.model.shape === 'list' || endedAt === undefined
  return {
    request_id: randomUUID(),
    output: {
      ...output,
      ...(ending?.kind === 'failed' && state === 'FAILED'
        ? { code: ending.code, message: ending.message }
        : {}),
      ...results,
      ...(hasMetrics ? { task_metrics: metrics(ending) } : {}),
    },
    ...usage,
  }
}

export function unknownAnswer(id: string): object {
  return { request_id: randomUUID(), output: { task_id: id, task_status: 'UNKNOWN' } }
}

function resultsOf({ order, ending, path }: Task, address: (path: string) => string): object {
  if (!ending || ending.kind === 'cancelled') return {}
  if (order.model.shape === 'single') return path ? { result: { transcription_url: address(path) } } : {}
  const item =
    ending.kind === 'failed'
      ? { code: ending.code, message: ending.message, subtask_status: 'FAILED' }
      : { ...(path ? { transcription_url: address(path) } : {}), subtask_status: 'SUCCEEDED' }
  return { results: [{ file_url: order.url, ...item }] }
}

function usageOf({ model }: TaskOrder, seconds: number): object {
  return model.shape === 'single' ? { seconds } : { duration: seconds }
}

function metrics(ending: Ending | undefined): object {
  const isDone = ending?.kind === 'done'
  const hasFailed = ending?.kind === 'failed'
  return { TOTAL: 1, SUCCEEDED: isDone ? 1 : 0, FAILED: hasFailed ? 1 : 0 }
}

/** One line of the list of tasks. */
export function listEntry({ id, model, state, submittedAt, startedAt, endedAt }: TaskRecord): object {
  return {
    api_key_id: '1',
    caller_parent_id: '1000000000000001',
    caller_uid: '1000000000000001',
    gmt_create: submittedAt,
    ...(startedAt === undefined ? {} : { start_time: startedAt }),
    ...(endedAt === undefined ? {} : { end_time: endedAt }),
    model_name: model,
    region: 'ap-southeast-1',
    request_id: id,
    status: state,
    task_id: id,
    user_api_unique_key: 'apikey:v1:audio:asr:transcription:transcription',
  }
}
