// Registry of tasks: adds and runs them, and describes their state.
import { randomUUID } from 'node:crypto'
import { pollAnswer, type Task } from './envelope.ts'
import { newRecord, type TaskRecord } from './record.ts'
import type { TaskRequest } from './request.ts'
import { startResultServer } from './results.ts'
import { type Outcome, runTask, type TaskRunner } from './run-task.ts'

export interface TaskRegistry {
  /** In order of submission. */
  records: TaskRecord[]
  find(id: string): Task | undefined
  /** Starts the task. */
  add(request: TaskRequest, record: TaskRecord): void
  /** The poll response; the result URL is valid for `seconds`. */
  describe(task: Task, seconds: number): object
  close(): Promise<void>
}

export async function startTaskRegistry(runner: TaskRunner, signal: AbortSignal): Promise<TaskRegistry> {
  const tasks = new Map<string, Task>()
  const records: TaskRecord[] = []
  const results = await startResultServer(id => {
    const { record } = tasks.get(id)!
    record.fetches++
    return runner.faults.hit(record, 'result')?.how
  })

  async function run(task: Task): Promise<void> {
    const { request, record } = task
    // Rejects only when the emulator closes: no client polls any more.
    const ending = await runTask(request, record, runner, signal).catch(() => undefined)
    if (!ending) return
    task.ending = ending
    if (ending.kind === 'done') {
      task.path = results.add(record.id, ending.file)
      record.billed = ending.use.seconds
      const { name, price } = request.model
      runner.billing.add({ kind: 'file', model: name, task: record.id, ...ending.use }, price)
    }
    if (ending.kind === 'failed') record.code = ending.code
    record.endedAt = Date.now()
    record.state = stateAfter(ending)
  }

  return {
    records,
    find: id => tasks.get(id),
    add(request, record) {
      const task: Task = { request, record }
      record.number = records.length
      tasks.set(record.id, task)
      records.push(record)
      void run(task)
    },
    describe: (task, seconds) => pollAnswer(task, path => results.sign(path, seconds), runner.forms),
    close: results.close,
  }
}

/** The record of a task that is not in the registry yet: it may still be refused. */
export function newTaskRecord({ model, url, parameters, guidance }: TaskRequest): TaskRecord {
  return { ...newRecord({ id: randomUUID(), model: model.name, url, parameters }), ...guidance }
}

function stateAfter(ending: Outcome): TaskRecord['state'] {
  if (ending.kind === 'cancelled') return 'CANCELED'
  return ending.kind === 'done' || ending.inside ? 'SUCCEEDED' : 'FAILED'
}
