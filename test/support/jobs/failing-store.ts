// A store whose writes fail when a test says so.
import { SpeechError } from '../../../src/domain/errors.ts'
import type { Store } from '../../../src/domain/ports.ts'

export const diskFull = new SpeechError('DISK_FULL', 'The disk is full.', { hint: 'Free some space.' })

export type Write = 'addJob' | 'replaceJob' | 'putTranscript'

/** A store that refuses to write while `fails` says so. */
export function failing(fails: (write: Write) => boolean): (store: Store) => Store {
  return store => {
    const guarded =
      <Given extends unknown[], T>(name: Write, write: (...given: Given) => Promise<T>) =>
      async (...given: Given) => {
        if (fails(name)) throw diskFull
        return write(...given)
      }
    return {
      ...store,
      addJob: guarded('addJob', store.addJob),
      replaceJob: guarded('replaceJob', store.replaceJob),
      putTranscript: guarded('putTranscript', store.putTranscript),
    }
  }
}
