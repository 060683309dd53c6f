// Reads SQLite in a thread with its own connection: searches and large values take long, and the event loop goes on.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createFairLimit } from '../../../domain/waiting/fair-limit.ts'
import { keepHeapSmall } from '../../../system/small-heap.ts'
import type { Value } from './rows.ts'

export interface ReadThread {
  /**
   * The rows of a statement whose only column is `bytes`; undefined once the thread is closed. Owners take turns. Throws
   * what SQLite throws.
   */
  read(owner: string, sql: string, values: Value[]): Promise<Uint8Array[] | undefined>
  /** Ends the thread after all reads. */
  close(): Promise<void>
}

/** Plain JavaScript, because neither the bundle nor Node 20 could load a TypeScript file here. */
const program = `
  const { parentPort, workerData: { base, path } } = require('node:worker_threads')
  const Sqlite = require('node:module').createRequire(base)('libsql')
  let database
  const open = () => {
    const opened = new Sqlite(path, { readonly: true })
    opened.pragma('busy_timeout = 5000')
    return opened
  }
  parentPort.on('message', ({ sql, values }) => {
    try {
      database ??= open()
      parentPort.postMessage({ rows: database.prepare(sql).all(...values).map(({ bytes }) => new Uint8Array(bytes)) })
    } catch ({ message, code }) {
      parentPort.postMessage({ error: { message, code } })
    }
  })
`

interface Answer {
  rows?: Uint8Array[]
  error?: { message: string; code?: string }
}

/** Starts with the first read. */
export function createReadThread(path: string): ReadThread {
  const turn = createFairLimit(1)
  /** Reads in progress and those that wait for their turn. */
  const unfinished = new Set<Promise<unknown>>()
  let worker: Worker | undefined
  let isClosed = false

  function start(): Worker {
    const started = new Worker(program, {
      eval: true,
      execArgv: [],
      workerData: { base: import.meta.url, path },
    })
    started.once('online', keepHeapSmall)
    started.once('error', () => {
      worker = undefined
    })
    return started
  }

  async function read(sql: string, values: Value[]): Promise<Uint8Array[]> {
    worker ??= start()
    worker.ref()
    worker.postMessage({ sql, values })
    const [{ rows, error }] = (await once(worker, 'message')) as [Answer]
    // An idle thread does not keep the process alive.
    worker?.unref()
    if (error) throw Object.assign(new Error(error.message), error)
    return rows!
  }

  return {
    async read(owner, sql, values) {
      if (isClosed) return undefined
      const result = turn(owner, () => read(sql, values))
      unfinished.add(result)
      const remove = () => unfinished.delete(result)
      result.then(remove, remove)
      return result
    },
    async close() {
      isClosed = true
      await Promise.allSettled(unfinished)
      await worker?.terminate()
    },
  }
}
