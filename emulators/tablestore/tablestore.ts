// Emulator of Tablestore: tables in memory, over the service's protocol on loopback.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { closeAtOnce, listenOnLoopback } from '../loopback.ts'
import { defaultMessage, invalid, refusal, TablestoreError } from './errors.ts'
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
  /** Default 0: any free port. */
  port?: number
  instance?: string
  accessKeyId?: string
  accessKeySecret?: string
  /** If set, requests must carry it. */
  securityToken?: string
  /** Server clock, in milliseconds since 1970; default: `Date.now`. */
  now?: () => number
  /** Operations (such as `CreateTable`) that the key may not use. */
  forbidden?: string[]
  /** Seconds until a search index contains existing or newly written rows. */
  indexDelay?: number
  seed?: number
  /** Seconds before each response. */
  latency?: number
}

type Settings = Pick<TablestoreOptions, 'now' | 'forbidden' | 'indexDelay' | 'latency' | 'securityToken'>

export interface TablestoreEmulator {
  endpoint: string
  instance: string
  accessKeyId: string
  accessKeySecret: string
  /** In order of arrival. */
  calls: TablestoreCall[]
  /** Injects a fault; the returned function removes it. */
  fault(fault: TablestoreFault): () => void
  set(changes: Settings): void
  /** Number of rows by table name. */
  tables(): Record<string, number>
  /** Closes all connections immediately. */
  close(): Promise<void>
}

const defaultKey = {
  accessKeyId: 'LTAI5tEmulatorTableKey00',
  accessKeySecret: 'emulator-table-secret-00000000',
}
/** Service limit of a request. */
const maxRequestBytes = 5 * 1024 * 1024
const operations = { ...rowOperations, ...tableOperations, ...searchOperations }

export async function startTablestore(options: TablestoreOptions = {}): Promise<TablestoreEmulator> {
  const { instance = 'emulator', seed = 1 } = options
  const { accessKeyId = defaultKey.accessKeyId, accessKeySecret = defaultKey.accessKeySecret } = options
  const settings: Settings = { ...options }
  const now = () => (settings.now ?? Date.now)()
  const tables = new Map<string, Table>()
  const indexes = new Map<string, Index>()
  const faults = createFaults(seed)
  const calls: TablestoreCall[] = []
  const closing = new AbortController()
  const context = { tables, indexes, now, table, delay: () => settings.indexDelay ?? 0 }

  const server = createServer((request, response) => void serve(request, response))
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
      authenticate(url, headers, body, { instance, accessKeyId, accessKeySecret, securityToken, now: now() })
      if (!Object.hasOwn(operations, operation)) throw invalid(`Unsupported operation: '${operation}'.`)
      const tableNames = tablesOf(operation, body)
      if (tableNames.length > 0) record.table = tableNames.join(',')
      const fault = faults.hit(operation, tableNames)
      if (fault?.kind === 'drop') return void socket.destroy()
      if (fault?.kind === 'hang') return
      if (fault?.kind === 'refuse')
        throw new TablestoreError(fault.status, fault.code, fault.message ?? defaultMessage(fault.code))
      if (settings.forbidden?.includes(operation)) throw refusal('OTSNoPermissionAccess')
      const answer = execute(operation, body, fault)
      const delaySeconds = (settings.latency ?? 0) + (fault?.kind === 'delay' ? fault.seconds : 0)
      if (delaySeconds > 0)
        await sleep(1000 * delaySeconds, undefined, { signal: closing.signal, ref: false })
      if (fault?.kind === 'lose') return void socket.destroy()
      send(200, answer)
    } catch (error) {
      if (socket.destroyed || closing.signal.aborted) return void socket.destroy()
      const { status, code, message } = error instanceof TablestoreError ? error : internalError(error)
      record.code = code
      send(status, encode('main', 'Error', { code, message }))
    }
  }

  function execute(operation: string, body: Buffer, fault: TablestoreFault['how'] | undefined): Buffer {
    const refused = (row: number) =>
      fault?.kind === 'refuseRows' && row % (fault.every ?? 2) === 0
        ? new TablestoreError(200, fault.code, fault.message ?? defaultMessage(fault.code))
        : undefined
    const answer = operations[operation]!(body, { ...context, refused })
    return encode(messageSpaceOf(operation), `${operation}Response`, answer)
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

function messageSpaceOf(operation: string): 'main' | 'search' {
  return Object.hasOwn(searchOperations, operation) ? 'search' : 'main'
}

/** Names of the tables in a request. */
function tablesOf(operation: string, body: Buffer): string[] {
  if (operation === 'ListTable') return []
  interface Request {
    tableName?: string
    tableMeta?: { tableName: string } | null
    tables?: { tableName: string }[]
  }
  const request = decode<Request>(messageSpaceOf(operation), `${operation}Request`, body)
  const names = request.tables?.map(({ tableName }) => tableName)
  return names ?? [request.tableMeta?.tableName ?? request.tableName ?? ''].filter(Boolean)
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length
    if (size <= maxRequestBytes) pieces.push(piece)
  }
  if (size > maxRequestBytes) throw refusal('OTSRequestBodyTooLarge')
  return Buffer.concat(pieces)
}

/** An error of the emulator itself, with its cause in the message. */
function internalError(error: unknown): TablestoreError {
  return refusal('OTSInternalServerError', `Internal server error: ${(error as Error).message}`)
}
