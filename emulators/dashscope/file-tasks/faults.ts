// Faults that tests inject into file tasks: at submit, poll, execution, result download, cancel and list.
import type { CloudError } from '../errors.ts'
import { type FaultList, type FaultScope, faultList } from '../faults.ts'
import type { TaskRecord } from './record.ts'

/** The conditions see a task record; its id is empty before the task exists. */
export type TaskFault = FaultScope<TaskRecord> & {
  /** Only tasks of this model. */
  model?: string
} & (
    | ({ kind: 'submitError' } & CloudError)
    /** Never responds; no task is created. */
    | { kind: 'submitHang' }
    /** Creates the task but closes the connection without a response. */
    | { kind: 'submitLost' }
    /** The error page of a proxy, default status 502; no task is created. */
    | { kind: 'submitHtml'; status?: number }
    | ({ kind: 'pollError' } & CloudError)
    | { kind: 'pollHang' }
    | { kind: 'pollDrop' }
    | { kind: 'pollHtml'; status?: number }
    /** 200 with truncated JSON. */
    | { kind: 'pollGarbage' }
    /** Stays in this state; default: RUNNING. */
    | { kind: 'endless'; state?: 'PENDING' | 'RUNNING' }
    /** Fails with this code; with `inside` the subtask fails and the task succeeds. */
    | { kind: 'failed'; code: string; message?: string; inside?: boolean }
    | { kind: 'cancelled' }
    /** Polls return UNKNOWN, as after one day. */
    | { kind: 'forgotten' }
    | { kind: 'result'; how: 403 | 404 | 500 | 'garbage' | 'hang' | 'drop' }
    | ({ kind: 'cancelError' } & CloudError)
    | ({ kind: 'listError' } & CloudError)
    | ({ kind: 'policyError' } & CloudError)
  )

export type TaskFaults = FaultList<TaskRecord, TaskFault>

export function createTaskFaults(): TaskFaults {
  return faultList((fault, task) => fault.model === undefined || fault.model === task.model)
}
