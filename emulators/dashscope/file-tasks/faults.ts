// Faults of tasks that tests switch on: what goes wrong when one is submitted, asked for, carried out or fetched.
import type { CloudError } from '../errors.ts'
import { type FaultList, type FaultScope, faultList } from '../faults.ts'
import type { TaskRecord } from './record.ts'

/** What a fault looks at; before there is a task its id is empty. */
export type TaskFault = FaultScope<TaskRecord> & {
  /** Only tasks of this model. */
  model?: string
} & (
    | ({ kind: 'submitError' } & CloudError)
    /** Never answers, and there is no task. */
    | { kind: 'submitHang' }
    /** The task is made, but the connection is cut before the answer. */
    | { kind: 'submitLost' }
    /** A proxy's page, 502 unless told; there is no task. */
    | { kind: 'submitHtml'; status?: number }
    | ({ kind: 'pollError' } & CloudError)
    | { kind: 'pollHang' }
    | { kind: 'pollDrop' }
    | { kind: 'pollHtml'; status?: number }
    /** 200 with half a JSON text. */
    | { kind: 'pollGarbage' }
    /** Is submitted, and stays in this state, RUNNING unless told. */
    | { kind: 'endless'; state?: 'PENDING' | 'RUNNING' }
    /** Ends so; `inside` puts the code into a part of a task that succeeded. */
    | { kind: 'failed'; code: string; message?: string; inside?: boolean }
    | { kind: 'cancelled' }
    /** Is answered with UNKNOWN, as after a day. */
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
