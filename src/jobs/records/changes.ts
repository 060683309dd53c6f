// Who hears of what happens to jobs and transcripts: the calls that wait, and the subscribers of resources.
import { EventEmitter } from 'node:events'

export interface Change {
  owner: string
  id: string
  /** True when the list of transcripts has changed too: one came, went, or was renamed. */
  listChanged: boolean
}

export interface Changes {
  tell(change: Change): void
  /** For those who wait only: how far a job is. */
  moved(owner: string, id: string): void
  /** The answer ends it. */
  subscribe(listener: (change: Change) => void): () => void
  /** Resolves with the next news of this job, when so many milliseconds are over, or when a signal is aborted. */
  next(owner: string, id: string, milliseconds: number, signals: AbortSignal[]): Promise<void>
}

export function createChanges(): Changes {
  const emitter = new EventEmitter().setMaxListeners(0)
  const eventOf = (owner: string, id: string) => `job ${owner}/${id}`
  return {
    tell(change) {
      emitter.emit(eventOf(change.owner, change.id))
      emitter.emit('change', change)
    },
    moved: (owner, id) => void emitter.emit(eventOf(owner, id)),
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
