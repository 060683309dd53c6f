// Task states as JSON, for both model families.
import { randomUUID } from 'node:crypto'
import type { Use } from '../models/price.ts'
import { chinaTime, type TaskRecord } from './record.ts'
import type { TaskRequest } from './request.ts'
import type { Outcome } from './run-task.ts'

export interface Task {
  request: TaskRequest
  record: TaskRecord
  ending?: Outcome
  /** Path of its result file. */
  path?: string
}

/** The response to a poll. `signUrl` signs the path of the result file. */
export function pollAnswer(task: Task, signUrl: (path: string) => string): object {
  const { record, request, ending } = task
  const { id, state, submittedAt, startedAt, endedAt } = record
  const output = {
    task_id: id,
    task_status: state,
    submit_time: chinaTime(submittedAt),
    ...(startedAt === undefined ? {} : { scheduled_time: chinaTime(startedAt) }),
    ...(endedAt === undefined ? {} : { end_time: chinaTime(endedAt) }),
  }
  const results = resultsOf(task, signUrl)
  const usage = ending?.kind === 'done' ? { usage: usageOf(request, ending.use) } : {}
  const hasMetrics = request.model.shape === 'list' || endedAt === undefined
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

function resultsOf({ request, ending, path }: Task, signUrl: (path: string) => string): object {
  if (!ending || ending.kind === 'cancelled') return {}
  if (request.model.shape === 'single') return path ? { result: { transcription_url: signUrl(path) } } : {}
  const item =
    ending.kind === 'failed'
      ? { code: ending.code, message: ending.message, subtask_status: 'FAILED' }
      : { ...(path ? { transcription_url: signUrl(path) } : {}), subtask_status: 'SUCCEEDED' }
  return { results: [{ file_url: request.url, ...item }] }
}

function usageOf({ model }: TaskRequest, { seconds, inputTokens, outputTokens }: Use): object {
  if (model.shape === 'single') return { seconds }
  if ('perSecond' in model.price) return { duration: seconds }
  const total_tokens = inputTokens + outputTokens
  return { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens, duration: seconds }
}

function metrics(ending: Outcome | undefined): object {
  const isDone = ending?.kind === 'done'
  const hasFailed = ending?.kind === 'failed'
  return { TOTAL: 1, SUCCEEDED: isDone ? 1 : 0, FAILED: hasFailed ? 1 : 0 }
}

/** One entry of the task list. */
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
