// The stand-in for Tablestore: tables in memory, over the service's own protocol on loopback.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { closeAtOnce, listenOnLoopback } from '../loopback.ts'
import { invalid, refusal, TablestoreError, usualMessage } from './errors.ts'
import { createFaults, type TablestoreCall, type TablestoreFault } from './faults.ts'
import { decode, encode } from './protocol.ts'
import { rowOperations } from './rows/row-operations.ts'
import type { Index } from './search/search-index.ts'
import { searchOperations } from './search/search-operations.ts'
import { authenticate } from './signature.ts'
import type { Table } from './table.ts'
import { tableOperations } from './table-operations.ts'

export type { TablestoreCall, TablestoreFault } from './faults.ts'

export interface TablestoreOptions {
  /** Default 0: any free one. */
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

type Settings = Pick<TablestoreOptions, 'now' | 'forbidden' | 'indexDelay' | 'latency' | 'securityToken'>

export interface TablestoreEmulator {
  endpoint: string
  instance: string
  accessKeyId: string
  accessKeySecret: string
  /** In the order in which they came. */
  calls: TablestoreCall[]
  /** Switches a fault on; the answer switches it off. */
  fault(fault: TablestoreFault): () => void
  set(changes: Settings): void
  /** Names of its tables, and how many rows each has. */
  tables(): Record<string, number>
  /** Ends all connections at once. */
  close(): Promise<void>
}

const usualKey = {
  accessKeyId: 'LTAI5tStandinTableKey000',
  accessKeySecret: 'standin-table-secret-000000000',
}
/** Of a request (limit of the service). */
const mostBytes = 5 * 1024 * 1024
const operations = { ...rowOperations, ...tableOperations, ...searchOperations }

export async function startTablestore(options: TablestoreOptions = {}): Promise<TablestoreEmulator> {
  const { instance = 'standin', seed = 1 } = options
  const { accessKeyId = usualKey.accessKeyId, accessKeySecret = usualKey.accessKeySecret } = options
  const settings: Settings = { ...options }
  const now = () => (settings.now ?? Date.now)()
  const tables = new Map<string, Table>()
  const indexes = new Map<string, Index>()
  const faults = createFaults(seed)
  const calls: TablestoreCall[] = []
  const closing = new AbortController()
  const desk = { tables, indexes, now, table, delay: () => settings.indexDelay ?? 0 }

  const server = createServer((request, response) => void serve(request, response))
  server.keepAliveTimeout = 60_000
  const port = await listenOnLoopback(server, options.port)
  const endpoint = `http://127.0.0.1:${port}`

  function table(name: string): Table {
    const found = tables.get(name)
    if (!found) throw refusal('OTSObjectNotExist')
    return found
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = (request.url ?? '/').slice(1)
    const record: TablestoreCall = { operation, at: now() }
    calls.push(record)
    const send = (status: number, body: Buffer) => {
      record.status = status
      const headers = { 'x-ots-requestid': randomUUID(), 'x-ots-contenttype': 'protocol buffer' }
      response.writeHead(status, { ...headers, 'content-length': body.length }).end(body)
    }
    const { socket } = request
    try {
      const body = await bodyOf(request)
      if (request.method !== 'POST') throw refusal('OTSMethodNotAllowed')
      const { headers, url = '/' } = request
      const { securityToken } = settings
      authenticate(url, headers, body, {
        instance,
        accessKeyId,
        accessKeySecret,
        securityToken,
        now: now(),
      })
      if (!Object.hasOwn(operations, operation)) throw invalid(`Unsupported operation: '${operation}'.`)
      const concerned = tablesOf(operation, body)
      if (concerned.length > 0) record.table = concerned.join(',')
      const fault = faults.hit(operation, concerned)
      if (fault?.kind === 'drop') return void socket.destroy()
      if (fault?.kind === 'hang') return
      if (fault?.kind === 'refuse')
        throw new TablestoreError(fault.status, fault.code, fault.message ?? usualMessage(fault.code))
      if (settings.forbidden?.includes(operation)) throw refusal('OTSNoPermissionAccess')
      const answer = carryOut(operation, body, fault)
      const pause = (settings.latency ?? 0) + (fault?.kind === 'delay' ? fault.seconds : 0)
      if (pause > 0) await sleep(1000 * pause, undefined, { signal: closing.signal, ref: false })
      if (fault?.kind === 'lose') return void socket.destroy()
      send(200, answer)
    } catch (error) {
      if (socket.destroyed || closing.signal.aborted) return void socket.destroy()
      const { status, code, message } = error instanceof TablestoreError ? error : broken(error)
      record.code = code
      send(status, encode('main', 'Error', { code, message }))
    }
  }

  function carryOut(operation: string, body: Buffer, fault: TablestoreFault['how'] | undefined): Buffer {
    const refused = (row: number) =>
      fault?.kind === 'refuseRows' && row % (fault.every ?? 2) === 0
        ? new TablestoreError(200, fault.code, fault.message ?? usualMessage(fault.code))
        : undefined
    const answer = operations[operation]!(body, { ...desk, refused })
    return encode(spaceOf(operation), `${operation}Response`, answer)
  }

  return {
    endpoint,
    instance,
    accessKeyId,
    accessKeySecret,
    calls,
    fault: faults.add,
    set: changes => void Object.assign(settings, changes),
    tables: () => Object.fromEntries([...tables].map(([name, table]) => [name, table.size()])),
    async close() {
      closing.abort()
      await closeAtOnce(server)
    },
  }
}

function spaceOf(operation: string): 'main' | 'search' {
  return Object.hasOwn(searchOperations, operation) ? 'search' : 'main'
}

/** Names of the tables that a request is about. */
function tablesOf(operation: string, body: Buffer): string[] {
  if (operation === 'ListTable') return []
  interface Request {
    tableName?: string
    tableMeta?: { tableName: string } | null
    tables?: { tableName: string }[]
  }
  const request = decode<Request>(spaceOf(operation), `${operation}Request`, body)
  const names = request.tables?.map(({ tableName }) => tableName)
  return names ?? [request.tableMeta?.tableName ?? request.tableName ?? ''].filter(Boolean)
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length
    if (size <= mostBytes) pieces.push(piece)
  }
  if (size > mostBytes) throw refusal('OTSRequestBodyTooLarge')
  return Buffer.concat(pieces)
}

/** A fault of the stand-in itself: whoever sees it should be told what it was. */
function broken(error: unknown): TablestoreError {
  return refusal('OTSInternalServerError', `Internal server error: ${(error as Error).message}`)
}
