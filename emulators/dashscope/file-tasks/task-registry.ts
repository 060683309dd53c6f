// Keeps the tasks: takes orders, has them carried out, and knows where their results lie.
import { randomUUID } from 'node:crypto'
import { pollAnswer, type Task } from './envelope.ts'
import { newRecord, type TaskRecord } from './record.ts'
import type { TaskOrder } from './request.ts'
import { startResults } from './results.ts'
import { type Ending, runTask, type TaskRunner } from './run-task.ts'

export interface Desk {
  /** In the order in which they were submitted. */
  records: TaskRecord[]
  find(id: string): Task | undefined
  /** The task has begun when this returns. */
  take(order: TaskOrder, record: TaskRecord): void
  /** How far it is, as the service says it; the address of the result is good for so many seconds. */
  describe(task: Task, seconds: number): object
  close(): Promise<void>
}

export async function openDesk(workshop: TaskRunner, signal: AbortSignal): Promise<Desk> {
  const tasks = new Map<string, Task>()
  const records: TaskRecord[] = []
  const results = await startResults(id => {
    const { record } = tasks.get(id)!
    record.fetches++
    return workshop.faults.hit(record, 'result')?.how
  })

  async function carry(task: Task): Promise<void> {
    const { order, record } = task
    // It rejects when the stand-in closes, and then nobody asks any more.
    const ending = await runTask(order, record, workshop, signal).catch(() => undefined)
    if (!ending) return
    task.ending = ending
    if (ending.kind === 'done') {
      task.path = results.keep(record.id, ending.file)
      record.billed = ending.billed
    }
    if (ending.kind === 'failed') record.code = ending.code
    record.endedAt = Date.now()
    record.state = stateAfter(ending)
  }

  return {
    records,
    find: id => tasks.get(id),
    take(order, record) {
      const task: Task = { order, record }
      tasks.set(record.id, task)
      records.push(record)
      void carry(task)
    },
    describe: (task, seconds) => pollAnswer(task, path => results.sign(path, seconds)),
    close: results.close,
  }
}

/** A task that is not on the desk: it may still be refused. */
export function draft({ model, url, parameters }: TaskOrder): TaskRecord {
  return newRecord({ id: randomUUID(), model: model.name, url, parameters })
}

function stateAfter(ending: Ending): TaskRecord['state'] {
  if (ending.kind === 'cancelled') return 'CANCELED'
  return ending.kind === 'done' || ending.inside ? 'SUCCEEDED' : 'FAILED'
}
