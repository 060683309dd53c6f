// Creates missing tables and the search index, and sets how long their rows are kept.
import { setTimeout as sleep } from 'node:timers/promises'
import type Tablestore from 'tablestore'
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import type { Requests } from './requests.ts'
import { indexName, searchedTable, type Table, tableNameOf, tables } from './tables.ts'

export interface SetUpOptions {
  prefix: string
  retentionDays?: number | undefined
}

/** Interval between tests of a new table. */
const pollIntervalMs = 300

/** Seconds that rows are kept; -1 without a limit. */
type TimeToLive = number

/** Tests for existence first, so that a key without permission to create tables accepts existing ones. */
export async function setUp(
  requests: Requests,
  { prefix, retentionDays }: SetUpOptions,
  signal: AbortSignal,
): Promise<string[]> {
  const timeToLive = retentionDays === undefined ? -1 : Math.ceil(retentionDays * 24 * 3600)
  const indexed = tableNameOf(prefix, searchedTable)
  const before = await describeIndex(requests, indexed)
  const report: string[] = []
  // The index must never keep rows longer than the table, so it is shortened first and extended last.
  if (before && isLonger(before.timeToLive, timeToLive)) await updateIndex(requests, indexed, timeToLive)
  for (const table of Object.keys(tables) as Table[]) {
    signal.throwIfAborted()
    report.push(await setUpTable(requests, table, tableNameOf(prefix, table), timeToLive, signal))
  }
  if (before && isLonger(timeToLive, before.timeToLive)) await updateIndex(requests, indexed, timeToLive)
  if (before) return [...report, `The search index of ${indexed} exists.`]
  await createIndex(requests, indexed, timeToLive)
  return [
    ...report,
    `The search index of ${indexed} was created; until it is complete, searches read the newest transcripts.`,
  ]
}

async function setUpTable(
  requests: Requests,
  table: Table,
  tableName: string,
  timeToLive: TimeToLive,
  signal: AbortSignal,
): Promise<string> {
  const found = await describe(requests, tableName)
  if (found) {
    if (Number(found.tableOptions.timeToLive) === timeToLive) return `Table ${tableName} exists.`
    await requests.call('ots:UpdateTable', ({ client }) =>
      client.updateTable({ tableName, tableOptions: { timeToLive } }),
    )
    return `Table ${tableName} exists; its rows are now kept ${retention(timeToLive)}.`
  }
  const primaryKey = Object.entries(tables[table]).map(([name, type]) => ({ name, type }))
  try {
    await requests.call('ots:CreateTable', ({ client }) =>
      client.createTable({
        tableMeta: { tableName, primaryKey },
        reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
        // The service indexes a table with expiring rows only if updates of single columns are disabled.
        tableOptions: { timeToLive, maxVersions: 1, allowUpdate: false } as Tablestore.TableOptions,
      }),
    )
  } catch (error) {
    // Another process was faster, or the response to our own first attempt was lost.
    if (!(await describe(requests, tableName))) throw error
  }
  await untilReady(requests, tableName, table, signal)
  return `Table ${tableName} was created.`
}

function retention(seconds: TimeToLive): string {
  return seconds === -1 ? 'indefinitely' : `for ${seconds / 24 / 3600} days`
}

async function describe(requests: Requests, tableName: string) {
  try {
    return await requests.call('ots:DescribeTable', ({ client }) => client.describeTable({ tableName }))
  } catch (error) {
    if (isSpeechError(error) && error.code === 'STORE_NOT_SET_UP') return undefined
    throw error
  }
}

/** A new table rejects requests for a few seconds. */
async function untilReady(requests: Requests, tableName: string, table: Table, signal: AbortSignal) {
  for (;;) {
    signal.throwIfAborted()
    try {
      await requests.call('ots:GetRow', ({ lib, client }) => {
        const primaryKey = Object.entries(tables[table]).map(([name, type]) => ({
          [name]: type === 'INTEGER' ? lib.Long.fromNumber(0) : '-',
        }))
        return client.getRow({ tableName, primaryKey })
      })
      return
    } catch (error) {
      const isNew = isSpeechError(error) && (error.retryable || error.code === 'STORE_NOT_SET_UP')
      if (!isNew) throw error
      await sleep(pollIntervalMs, undefined, { signal })
    }
  }
}

/** Undefined if the index or its table does not exist. */
async function describeIndex(requests: Requests, tableName: string) {
  if (!(await describe(requests, tableName))) return undefined
  const { indices = [] } = (await requests.call('ots:ListSearchIndex', ({ client }) =>
    client.listSearchIndex({ tableName }),
  )) as { indices?: { indexName?: string }[] }
  if (!indices.some(index => index.indexName === indexName)) return undefined
  const { timeToLive } = (await requests.call('ots:DescribeSearchIndex', ({ client }) =>
    client.describeSearchIndex({ tableName, indexName }),
  )) as { timeToLive?: unknown }
  return { timeToLive: Number(timeToLive ?? -1) || -1 }
}

async function createIndex(requests: Requests, tableName: string, timeToLive: TimeToLive): Promise<void> {
  try {
    await requests.call('ots:CreateSearchIndex', ({ lib, client }) =>
      client.createSearchIndex(schema(tableName, timeToLive, lib)),
    )
  } catch (error) {
    if (!(await describeIndex(requests, tableName).catch(() => undefined))) throw indexError(error)
  }
}

async function updateIndex(requests: Requests, tableName: string, timeToLive: TimeToLive): Promise<void> {
  await requests.call('ots:UpdateSearchIndex', ({ client }) =>
    (client as unknown as UntypedMethods).updateSearchIndex({ tableName, indexName, timeToLive }),
  )
}

/** Missing in the types of the library. */
interface UntypedMethods {
  updateSearchIndex(params: { tableName: string; indexName: string; timeToLive: number }): Promise<unknown>
}

function isLonger(one: TimeToLive, other: TimeToLive): boolean {
  const finite = (seconds: number) => (seconds === -1 ? Number.POSITIVE_INFINITY : seconds)
  return finite(one) > finite(other)
}

function schema(
  tableName: string,
  timeToLive: TimeToLive,
  { FieldType }: typeof Tablestore,
): Tablestore.CreateSearchIndexParams & { timeToLive: number } {
  const sortable = { fieldType: FieldType.KEYWORD, index: true, enableSortAndAgg: true }
  const keyword = (fieldName: string) => ({ fieldName, ...sortable })
  // The column holds terms separated by spaces, so the index needs no dictionary.
  const split = { analyzer: 'split', analyzerParameter: { delimiter: ' ' } }
  const words = { fieldName: 'words', fieldType: FieldType.TEXT, index: true, ...split }
  const fieldSchemas = [keyword('owner'), keyword('created'), keyword('id'), words]
  return { tableName, indexName, timeToLive, schema: { fieldSchemas } }
}

/** Everything but fast search works without the index. */
function indexError(error: unknown): unknown {
  if (!isSpeechError(error)) return error
  return new SpeechError(error.code, error.message, {
    hint: `${error.hint} Without the search index, searches read only the newest transcripts.`,
    cause: error,
  })
}
