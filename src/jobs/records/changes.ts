// Publishes changes of jobs and transcripts: to waiting calls, and to subscribers of resources.
import { EventEmitter } from 'node:events'

export interface Change {
  owner: string
  id: string
  /** True when the list of transcripts has changed too: one was added, removed or renamed. */
  listChanged: boolean
}

export type Changes = ReturnType<typeof createChanges>

export function createChanges() {
  const emitter = new EventEmitter().setMaxListeners(0)
  const eventOf = (owner: string, id: string) => `job ${owner}/${id}`
  return {
    publish(change: Change): void {
      emitter.emit(eventOf(change.owner, change.id))
      emitter.emit('change', change)
    },
    /** Wakes waiting calls only: the job's progress has changed. */
    progressed: (owner: string, id: string): void => void emitter.emit(eventOf(owner, id)),
    /** Returns the function that ends the subscription. */
    subscribe(listener: (change: Change) => void): () => void {
      emitter.on('change', listener)
      return () => void emitter.off('change', listener)
    },
    /** Resolves with the next change of this job, after the time, or when a signal is aborted. */
    next: (owner: string, id: string, milliseconds: number, signals: AbortSignal[]): Promise<void> =>
      new Promise(resolve => {
        const event = eventOf(owner, id)
        const done = () => {
          clearTimeout(timer)
          emitter.off(event, done)
          for (const signal of signals) signal.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, milliseconds)
        emitter.on(event, done)
        for (const signal of signals) signal.addEventListener('abort', done)
        if (signals.some(({ aborted }) => aborted)) done()
      }),
  }
}
