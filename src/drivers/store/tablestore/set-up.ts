// Makes the tables and the search index that are missing, and sets for how long what is in them is kept.
import { setTimeout as sleep } from 'node:timers/promises'
import type Tablestore from 'tablestore'
import { isSpeechError, SpeechError } from '../../../domain/errors.ts'
import type { Requests } from './requests.ts'
import { indexName, nameOf, searched, type Table, tables } from './tables.ts'

export interface SetUpOptions {
  prefix: string
  retentionDays?: number
}

/** Milliseconds between two looks at a table that was made just now. */
const pause = 300

/** Looks before it makes anything: whoever may only read and write finds what an administrator has made. */
export async function setUp(line: Requests, options: SetUpOptions, signal: AbortSignal): Promise<string[]> {
  const told: string[] = []
  const life = secondsOf(options)
  const before = await describeIndex(line, options)
  // The service lets no index keep rows for longer than their table: what gets shorter does so there first.
  if (before && isLonger(before.timeToLive, life)) await keepIndexed(line, options, life)
  for (const table of Object.keys(tables) as Table[]) {
    signal.throwIfAborted()
    told.push(await setUpTable(line, table, options, signal))
  }
  if (before && isLonger(life, before.timeToLive)) await keepIndexed(line, options, life)
  told.push(
    before
      ? `The search index of ${nameOf(options.prefix, searched)} is there.`
      : await addIndex(line, options),
  )
  return told
}

async function setUpTable(
  line: Requests,
  table: Table,
  options: SetUpOptions,
  signal: AbortSignal,
): Promise<string> {
  const tableName = nameOf(options.prefix, table)
  const timeToLive = secondsOf(options)
  const found = await describe(line, tableName)
  if (found) {
    if (Number(found.tableOptions.timeToLive) === timeToLive) return `Table ${tableName} is there.`
    await line.call('ots:UpdateTable', ({ client }) =>
      client.updateTable({ tableName, tableOptions: { timeToLive } }),
    )
    return `Table ${tableName} is there, and keeps what is in it ${told(timeToLive)} now.`
  }
  const primaryKey = Object.entries(tables[table]).map(([name, type]) => ({ name, type }))
  try {
    await line.call('ots:CreateTable', ({ client }) =>
      client.createTable({
        tableMeta: { tableName, primaryKey },
        reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
        // An index on a table whose rows end by themselves is taken only where rows are written whole.
        tableOptions: { timeToLive, maxVersions: 1, allowUpdate: false } as Tablestore.TableOptions,
      }),
    )
  } catch (error) {
    // Another doctor was faster; or our own first attempt was, and its answer was lost.
    if (!(await describe(line, tableName))) throw error
  }
  await untilReady(line, tableName, table, signal)
  return `Table ${tableName} was made.`
}

function secondsOf({ retentionDays }: SetUpOptions): number {
  return retentionDays === undefined ? -1 : Math.ceil(retentionDays * 24 * 3600)
}

function told(seconds: number): string {
  return seconds === -1 ? 'for ever' : `${seconds / 24 / 3600} days`
}

async function describe(
  line: Requests,
  tableName: string,
): Promise<Tablestore.DescribeTableResult | undefined> {
  try {
    return await line.call('ots:DescribeTable', ({ client }) => client.describeTable({ tableName }))
  } catch (error) {
    if (isSpeechError(error) && error.code === 'STORE_NOT_SET_UP') return undefined
    throw error
  }
}

/** A table that was made just now does not answer for a few seconds. */
async function untilReady(
  line: Requests,
  tableName: string,
  table: Table,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    try {
      await line.call('ots:GetRow', ({ lib, client }) => {
        const primaryKey = Object.entries(tables[table]).map(([name, type]) => ({
          [name]: type === 'INTEGER' ? lib.Long.fromNumber(0) : '-',
        }))
        return client.getRow({ tableName, primaryKey })
      })
      return
    } catch (error) {
      const isYoung = isSpeechError(error) && (error.retryable || error.code === 'STORE_NOT_SET_UP')
      if (!isYoung) throw error
      await sleep(pause, undefined, { signal })
    }
  }
}

interface IndexFound {
  /** Seconds; -1 for ever. */
  timeToLive: number
}

/** Undefined where there is none, or no table for it yet. */
async function describeIndex(line: Requests, { prefix }: SetUpOptions): Promise<IndexFound | undefined> {
  const tableName = nameOf(prefix, searched)
  if (!(await describe(line, tableName))) return undefined
  const { indices = [] } = (await line.call('ots:ListSearchIndex', ({ client }) =>
    client.listSearchIndex({ tableName }),
  )) as { indices?: { indexName?: string }[] }
  if (!indices.some(index => index.indexName === indexName)) return undefined
  const { timeToLive } = (await line.call('ots:DescribeSearchIndex', ({ client }) =>
    client.describeSearchIndex({ tableName, indexName }),
  )) as { timeToLive?: unknown }
  return { timeToLive: Number(timeToLive ?? -1) || -1 }
}

async function addIndex(line: Requests, options: SetUpOptions): Promise<string> {
  const tableName = nameOf(options.prefix, searched)
  try {
    await line.call('ots:CreateSearchIndex', ({ lib, client }) =>
      client.createSearchIndex(schema(tableName, secondsOf(options), lib)),
    )
  } catch (error) {
    if (!(await describeIndex(line, options).catch(() => undefined))) throw withoutIndex(error)
  }
  return `The search index of ${tableName} was made; until it is filled, searches read the newest transcripts.`
}

async function keepIndexed(line: Requests, { prefix }: SetUpOptions, timeToLive: number): Promise<void> {
  const asked = { tableName: nameOf(prefix, searched), indexName, timeToLive }
  await line.call('ots:UpdateSearchIndex', ({ client }) =>
    (client as unknown as Updates).updateSearchIndex(asked),
  )
}

/** The library has it, its types do not. */
interface Updates {
  updateSearchIndex(params: { tableName: string; indexName: string; timeToLive: number }): Promise<unknown>
}

function isLonger(seconds: number, than: number): boolean {
  const [one, other] = [seconds, than].map(life => (life === -1 ? Number.POSITIVE_INFINITY : life))
  return one! > other!
}

/** Words are kept for as long as the transcript that they are from. */
function schema(
  tableName: string,
  timeToLive: number,
  { FieldType }: typeof Tablestore,
): Tablestore.CreateSearchIndexParams & { timeToLive: number } {
  const keyword = (fieldName: string) => ({
    fieldName,
    fieldType: FieldType.KEYWORD,
    index: true,
    enableSortAndAgg: true,
  })
  // What stands there are terms with blanks between them: no dictionary is asked to part them once more.
  const split = { analyzer: 'split', analyzerParameter: { delimiter: ' ' } }
  const words = { fieldName: 'words', fieldType: FieldType.TEXT, index: true, ...split }
  const fieldSchemas = [keyword('owner'), keyword('created'), keyword('id'), words]
  return { tableName, indexName, timeToLive, schema: { fieldSchemas } }
}

/** Without the index all else works. */
function withoutIndex(error: unknown): unknown {
  if (!isSpeechError(error)) return error
  return new SpeechError(error.code, error.message, {
    hint: `${error.hint} Without the search index searches read the newest transcripts only.`,
    cause: error,
  })
}
