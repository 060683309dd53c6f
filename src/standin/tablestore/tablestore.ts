// The stand-in for Tablestore: tables in memory, over the service's own protocol on loopback.

export interface TablestoreCall {
  /** Such as `PutRow`. */
  operation: string
  table?: string
  at: number
  /** HTTP status of the answer; undefined while there is none, or where the connection was cut. */
  status?: number
  /** Of an error, such as `OTSConditionCheckFail`. */
  code?: string
}

export interface TablestoreFault {
  /** Which calls; absent: all. */
  operation?: string | RegExp
  table?: string | RegExp
  /** How many of those that fit: the first `times`; absent: all. */
  times?: number
  /** Chance that one that fits is hit, from 0 to 1; drawn from the seed. Default 1. */
  chance?: number
  /**
   * `refuse`: answered with this error and not done. `lose`: done, and the connection is cut instead of an answer.
   * `drop`: not done, and cut. `hang`: never answered. `delay`: answered after so many seconds.
   */
  how:
    | { kind: 'refuse'; status: number; code: string; message?: string }
    | { kind: 'lose' | 'drop' | 'hang' }
    | { kind: 'delay'; seconds: number }
}

export interface TablestoreOptions {
  port?: number
  instance?: string
  accessKeyId?: string
  accessKeySecret?: string
  /** With it, requests must carry it. */
  securityToken?: string
  /** The service's clock, in milliseconds since 1970. */
  now?: () => number
  /** Operations (such as `CreateTable`) that the key has no right to. */
  forbidden?: string[]
  /** Seconds until a new search index, or what was written, is found by it. */
  indexDelay?: number
  seed?: number
  /** Seconds for every answer. */
  latency?: number
}

export interface TablestoreStandin {
  endpoint: string
  instance: string
  accessKeyId: string
  accessKeySecret: string
  calls: TablestoreCall[]
  fault(fault: TablestoreFault): () => void
  set(
    changes: Pick<TablestoreOptions, 'now' | 'forbidden' | 'indexDelay' | 'latency' | 'securityToken'>,
  ): void
  /** Names of its tables, and how many rows each has. */
  tables(): Record<string, number>
  close(): Promise<void>
}

export async function startTablestore(_options: TablestoreOptions = {}): Promise<TablestoreStandin> {
  throw new Error('Not built yet.')
}
