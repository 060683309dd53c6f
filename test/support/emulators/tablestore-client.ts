// The real Tablestore client, pointed at an emulator that each test starts anew, with a clock that tests advance.
import Tablestore from 'tablestore'
import { afterEach, beforeEach, vi } from 'vitest'
import { startTablestore, type TablestoreEmulator } from '../../../emulators/tablestore/tablestore.ts'

const { Condition, RowExistenceExpectation, Long } = Tablestore

export const tableName = 'calls'
export const anyRow = new Condition(RowExistenceExpectation.IGNORE, null)

export let tablestore: TablestoreEmulator
export let client: Tablestore.Client
export let now: number

/** Starts an emulator with one empty table before each test of a file, and closes it afterwards. */
export function startTablestoreForEachTest(): void {
  beforeEach(async () => {
    now = Date.now()
    tablestore = await startTablestore({ now: () => now })
    client = clientOf()
    await create()
  })
  afterEach(async () => {
    vi.useRealTimers()
    await tablestore.close()
  })
}

/** A client of the emulator, with the right key unless `changes` says otherwise. */
export function clientOf(changes: Partial<Tablestore.ConfigOptions> = {}): Tablestore.Client {
  const { endpoint, instance, accessKeyId, accessKeySecret } = tablestore
  return new Tablestore.Client({
    endpoint,
    instancename: instance,
    accessKeyId,
    secretAccessKey: accessKeySecret,
    maxRetries: 0,
    ...changes,
  })
}

export function useClient(changed: Tablestore.Client): void {
  client = changed
}

export const create = (name = tableName, timeToLive = -1) =>
  client.createTable({
    tableMeta: {
      tableName: name,
      primaryKey: [
        { name: 'owner', type: 'STRING' },
        { name: 'n', type: 'INTEGER' },
      ],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive, maxVersions: 1, allowUpdate: timeToLive === -1 } as Tablestore.TableOptions,
  })

/** Advances the clock of the server and of the client. */
export function advance(seconds: number): void {
  now += 1000 * seconds
  vi.useFakeTimers({ now, toFake: ['Date'] })
}

export const keyOf = (n: number, owner = 'ann'): Tablestore.PrimaryKeyInput => [
  { owner },
  { n: Long.fromNumber(n) },
]

export const put = (
  n: number,
  attributes: Tablestore.AttributesInput = [],
  condition = anyRow,
  owner = 'ann',
) => client.putRow({ tableName, condition, primaryKey: keyOf(n, owner), attributeColumns: attributes })

/** The columns of a row; undefined if it does not exist. */
export async function read(n: number): Promise<Record<string, unknown> | undefined> {
  const { row } = await client.getRow({ tableName, primaryKey: keyOf(n) })
  if (!row?.primaryKey) return undefined
  const plain = (value: Tablestore.CellValue) =>
    typeof value === 'object' && value && 'toNumber' in value ? value.toNumber() : value
  return Object.fromEntries(
    (row.attributes ?? []).map(({ columnName, columnValue }) => [columnName, plain(columnValue)]),
  )
}

/** The error code of a refused request, which the library returns as bytes; undefined if it succeeds. */
export async function errorCodeOf(work: Promise<unknown>): Promise<string | undefined> {
  const error = await work.then(
    () => undefined,
    (error: Error) => error,
  )
  return /OTS[A-Za-z]+/.exec(error?.message ?? '')?.[0]
}
