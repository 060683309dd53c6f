// Task states as JSON, for both model families.
import { randomUUID } from 'node:crypto'
import type { Forms } from '../forms.ts'
import type { Use } from '../models/price.ts'
import { chinaTime, type TaskRecord } from './record.ts'
import type { TaskRequest } from './request.ts'
import { noFragment, type Outcome } from './run-task.ts'

export interface Task {
  request: TaskRequest
  record: TaskRecord
  ending?: Outcome
  /** Path of its result file. */
  path?: string
}

/** The response to a poll. `signUrl` signs the path of the result file. */
export function pollAnswer(task: Task, signUrl: (path: string) => string, forms: Forms): object {
  const { record, request, ending } = task
  const { id, state, submittedAt, startedAt, endedAt } = record
  const output = {
    task_id: id,
    task_status: isSilent(task, forms) ? noFragment : state,
    submit_time: chinaTime(submittedAt),
    ...(startedAt === undefined ? {} : { scheduled_time: chinaTime(startedAt) }),
    ...(endedAt === undefined ? {} : { end_time: chinaTime(endedAt) }),
  }
  const results = resultsOf(task, signUrl, forms)
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

/** One client also expects the code of silence as a status. */
function isSilent({ ending }: Task, { silence }: Forms): boolean {
  return silence === 'status' && ending?.kind === 'failed' && ending.code === noFragment
}

function resultsOf({ request, ending, path }: Task, signUrl: (path: string) => string, forms: Forms): object {
  if (!ending || ending.kind === 'cancelled') return {}
  const { model, url } = request
  const address = path ? { transcription_url: signUrl(path) } : {}
  if (model.shape === 'single') return path ? { result: address } : {}
  if (ending.kind === 'failed') {
    const { code, message } = ending
    return { results: [{ file_url: url, code, message, subtask_status: 'FAILED' }] }
  }
  const item = { file_url: url, subtask_status: 'SUCCEEDED' }
  const place = typeof forms.resultPlace === 'function' ? forms.resultPlace(model.name) : forms.resultPlace
  if (place === 'resultsOutput') return { results: [{ ...item, output: address }] }
  const results = [{ ...item, ...address }]
  return place === 'output' ? { output: { ...address, results } } : { results }
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
