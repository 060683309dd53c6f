// Runs what takes SQLite long in a thread with its own connections: searches, and large values.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createFairTurns } from '../../../domain/reading/fair-turns.ts'
import { keepHeapSmall } from '../../../system/small-heap.ts'
import type { Statement, Value } from './rows.ts'
import { writerPragmas } from './schema.ts'

export interface SideThread {
  /** The rows of a statement whose only column is `bytes`. Owners take turns. Throws what SQLite throws. */
  read(owner: string, sql: string, values: Value[]): Promise<Uint8Array[]>
  /** Runs the statements in a transaction; resolves with the number of rows that each has changed. */
  write(owner: string, statements: Statement[]): Promise<number[]>
  /** Ends the thread after all reads and writes. */
  close(): Promise<void>
}

/** Plain JavaScript, because neither the bundle nor Node 20 could load a TypeScript file here. */
const program = `
  const { parentPort, workerData: { base, path, pragmas } } = require('node:worker_threads')
  const Sqlite = require('node:module').createRequire(base)('libsql')
  let reader
  let writer
  const open = (options, pragmas) => {
    const opened = new Sqlite(path, options)
    for (const pragma of ['busy_timeout = 5000', ...pragmas]) opened.pragma(pragma)
    return opened
  }
  const read = ({ sql, values }) => {
    reader ??= open({ readonly: true }, [])
    return reader.prepare(sql).all(...values).map(({ bytes }) => new Uint8Array(bytes))
  }
  const write = statements => {
    writer ??= open({}, pragmas)
    writer.exec('BEGIN IMMEDIATE')
    try {
      const changes = statements.map(({ sql, values }) => writer.prepare(sql).run(...values).changes)
      writer.exec('COMMIT')
      return changes
    } catch (error) {
      if (writer.inTransaction) writer.exec('ROLLBACK')
      throw error
    }
  }
  parentPort.on('message', ({ statement, statements }) => {
    try {
      parentPort.postMessage({ result: statement ? read(statement) : write(statements) })
    } catch ({ message, code }) {
      parentPort.postMessage({ error: { message, code } })
    }
  })
`

interface Answer {
  result?: unknown
  error?: { message: string; code?: string }
}

/** Starts with the first call. */
export function createSideThread(path: string): SideThread {
  const turn = createFairTurns()
  /** Calls in progress and those that wait for their turn. */
  const unfinished = new Set<Promise<unknown>>()
  let worker: Worker | undefined

  function start(): Worker {
    const started = new Worker(program, {
      eval: true,
      execArgv: [],
      workerData: { base: import.meta.url, path, pragmas: writerPragmas },
    })
    started.once('online', keepHeapSmall)
    started.once('error', () => {
      worker = undefined
    })
    return started
  }

  async function ask(message: object): Promise<unknown> {
    worker ??= start()
    worker.ref()
    worker.postMessage(message)
    const [{ result, error }] = (await once(worker, 'message')) as [Answer]
    // An idle thread does not keep the process alive.
    worker?.unref()
    if (error) throw Object.assign(new Error(error.message), error)
    return result
  }

  function inTurn(owner: string, message: object): Promise<unknown> {
    const result = turn(owner, () => ask(message))
    unfinished.add(result)
    const remove = () => unfinished.delete(result)
    result.then(remove, remove)
    return result
  }

  return {
    read: (owner, sql, values) => inTurn(owner, { statement: { sql, values } }) as Promise<Uint8Array[]>,
    write: (owner, statements) => inTurn(owner, { statements }) as Promise<number[]>,
    async close() {
      await Promise.allSettled(unfinished)
      await worker?.terminate()
    },
  }
}
