// Publishes changes of jobs and transcripts: to waiting calls, and to subscribers of resources.
import { EventEmitter } from 'node:events'

export interface Change {
  owner: string
  id: string
  /** True when the list of transcripts has changed too: one was added, removed or renamed. */
  listChanged: boolean
}

export interface Changes {
  publish(change: Change): void
  /** Wakes waiting calls only: the job's progress has changed. */
  progressed(owner: string, id: string): void
  /** Returns the function that ends the subscription. */
  subscribe(listener: (change: Change) => void): () => void
  /** Resolves with the next change of this job, after the time, or when a signal is aborted. */
  next(owner: string, id: string, milliseconds: number, signals: AbortSignal[]): Promise<void>
}

export function createChanges(): Changes {
  const emitter = new EventEmitter().setMaxListeners(0)
  const eventOf = (owner: string, id: string) => `job ${owner}/${id}`
  return {
    publish(change) {
      emitter.emit(eventOf(change.owner, change.id))
      emitter.emit('change', change)
    },
    progressed: (owner, id) => void emitter.emit(eventOf(owner, id)),
    subscribe(listener) {
      emitter.on('change', listener)
      return () => void emitter.off('change', listener)
    },
    next: (owner, id, milliseconds, signals) =>
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
