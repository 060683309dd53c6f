// A Tablestore emulator with its tables, for tests of what the service does to the store.
import { afterEach, beforeEach } from 'vitest'
import { startTablestore, type TablestoreEmulator } from '../../../emulators/tablestore/tablestore.ts'
import type { Job } from '../../../src/domain/job.ts'
import {
  type TablestoreOptions,
  type TablestoreStore,
  tablestoreStore,
} from '../../../src/drivers/store/tablestore/tablestore.ts'

export const owner = 'ann'
export const { signal } = new AbortController()

/** Call at the top of a test file: each test gets an emulator whose tables are set up. */
export function useTablestore() {
  let tables: TablestoreEmulator
  let opened: TablestoreStore[]
  let now: number

  function open(more: Partial<TablestoreOptions> = {}): TablestoreStore {
    const { endpoint, instance, accessKeyId, accessKeySecret } = tables
    const key = { accessKeyId, accessKeySecret }
    const store = tablestoreStore({
      endpoint,
      instance,
      key,
      prefix: 'speech_',
      firstDelaySeconds: 0.01,
      ...more,
    })
    opened.push(store)
    return store
  }

  beforeEach(async () => {
    now = Date.now()
    tables = await startTablestore({ now: () => now })
    opened = []
    await open().setUp(signal)
  })
  afterEach(async () => {
    for (const store of opened) await store.close()
    await tables.close()
  })

  return {
    tables: () => tables,
    open,
    /** Moves the clock of the emulator, and returns its new time. */
    advance(milliseconds: number): number {
      now += milliseconds
      return now
    },
    /** Carries out the next such request and loses its response. */
    loseResponse: (operation: string, table: string) =>
      tables.fault({ operation, table: `speech_${table}`, times: 1, how: { kind: 'lose' } }),
  }
}

export function job(facts: Partial<Job> = {}): Job {
  const at = '2026-03-01T10:00:00.000Z'
  return {
    id: 'j',
    owner,
    tool: 'transcribe_audio',
    models: ['m'],
    short: false,
    revision: 1,
    request: { audio: '/a.mp3' },
    state: 'queued',
    createdAt: at,
    updatedAt: at,
    ...facts,
  }
}
