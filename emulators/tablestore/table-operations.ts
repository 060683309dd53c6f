// Operations on tables.
import { invalid, refusal } from './errors.ts'
import { decode, has } from './protocol.ts'
import { createTable, isLonger, type Table, tooLong } from './table.ts'

export interface TableContext {
  tables: Map<string, Table>
  /** Search indexes; `tableName` links them to their table. */
  indexes: Map<string, { tableName: string; timeToLive: number }>
  table(name: string): Table
  now(): number
}

type Operation = (body: Uint8Array, context: TableContext) => object

interface Options {
  timeToLive: number
  maxVersions: number
  allowUpdate: boolean
}

const maxTables = 64
const maxKeyColumns = 4
/** INTEGER, STRING, BINARY. */
const keyTypes = [1, 2, 3]
const minTimeToLiveSeconds = 86_400
const details = { capacityUnit: { read: 0, write: 0 }, lastIncreaseTime: 0 }
const active = 1

export const tableOperations: Record<string, Operation> = {
  CreateTable(body, { tables, now }) {
    interface Request {
      tableMeta: { tableName: string; primaryKey: { name: string; type: number }[] }
      tableOptions: Options | null
    }
    const { tableMeta, tableOptions } = decode<Request>('main', 'CreateTableRequest', body)
    const { tableName, primaryKey } = tableMeta
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(tableName))
      throw invalid(`Invalid table name: '${tableName}'.`)
    if (primaryKey.length < 1 || primaryKey.length > maxKeyColumns)
      throw invalid(`The number of primary key columns must be in range: [1, ${maxKeyColumns}].`)
    for (const [i, { name, type }] of primaryKey.entries()) {
      if (!keyTypes.includes(type)) throw invalid(`${type} is an invalid type for the primary key.`)
      if (primaryKey.findIndex(other => other.name === name) !== i)
        throw invalid(`Duplicated primary key name: '${name}'.`)
    }
    if (tables.has(tableName)) throw refusal('OTSObjectAlreadyExist')
    if (tables.size >= maxTables) throw refusal('OTSQuotaExhausted')
    const columns = primaryKey.map(({ name, type }) => ({ name, type }))
    if (!tableOptions || !has(tableOptions, 'timeToLive'))
      throw invalid('Time-to-live is missing while creating table.')
    tables.set(tableName, createTable(tableName, columns, readOptions(tableOptions), now))
    return {}
  },
  UpdateTable(body, context) {
    const { tableName, tableOptions } = decode<{ tableName: string; tableOptions: Options | null }>(
      'main',
      'UpdateTableRequest',
      body,
    )
    const { options } = context.table(tableName)
    if (!tableOptions) throw invalid('No parameter is specified in table options.')
    const after = readOptions(tableOptions, options)
    for (const { tableName: of, timeToLive } of context.indexes.values())
      if (of === tableName && isLonger(timeToLive, after.timeToLive))
        throw invalid(tooLong(timeToLive, after.timeToLive))
    Object.assign(options, after)
    return { reservedThroughputDetails: details, tableOptions: options }
  },
  DescribeTable(body, context) {
    const { tableName } = decode<{ tableName: string }>('main', 'DescribeTableRequest', body)
    const { columns, options } = context.table(tableName)
    return {
      tableMeta: { tableName, primaryKey: columns },
      tableOptions: options,
      reservedThroughputDetails: details,
      tableStatus: active,
    }
  },
  ListTable: (_, { tables }) => ({ tableNames: [...tables.keys()].sort() }),
  DeleteTable(body, context) {
    const { tableName } = decode<{ tableName: string }>('main', 'DeleteTableRequest', body)
    context.table(tableName)
    if ([...context.indexes.values()].some(index => index.tableName === tableName))
      throw invalid(`Table[${tableName}] who has at least one search index cannot be deleted.`)
    context.tables.delete(tableName)
    return {}
  },
}

function readOptions(
  requested: Options,
  before: Options = { timeToLive: -1, maxVersions: 1, allowUpdate: true },
): Options {
  const options = {
    timeToLive: has(requested, 'timeToLive') ? requested.timeToLive : before.timeToLive,
    maxVersions: has(requested, 'maxVersions') ? requested.maxVersions : before.maxVersions,
    allowUpdate: has(requested, 'allowUpdate') ? requested.allowUpdate : before.allowUpdate,
  }
  const { timeToLive } = options
  if (timeToLive !== -1 && timeToLive < minTimeToLiveSeconds)
    throw invalid(`Time to live must be -1 or at least ${minTimeToLiveSeconds}.`)
  return options
}
