// The Tablestore emulator: tables and service limits.
import Tablestore from 'tablestore'
import { describe, expect, it } from 'vitest'
import {
  anyRow,
  client,
  create,
  errorCodeOf,
  keyOf,
  put,
  read,
  startTablestoreForEachTest,
  tableName,
} from '../../support/emulators/tablestore-client.ts'

const { FieldType } = Tablestore

startTablestoreForEachTest()

describe('tables', () => {
  it('a table is described as created, and its time to live can be changed', async () => {
    expect(await client.listTable({})).toMatchObject({ tableNames: [tableName] })
    await client.updateTable({ tableName, tableOptions: { timeToLive: 86_400, maxVersions: 1 } })
    expect(await client.describeTable({ tableName })).toMatchObject({
      tableMeta: { tableName, primaryKey: [{ name: 'owner' }, { name: 'n' }] },
      tableOptions: { timeToLive: 86_400, maxVersions: 1 },
    })
    const short = client.updateTable({ tableName, tableOptions: { timeToLive: 60, maxVersions: 1 } })
    expect(await errorCodeOf(short)).toBe('OTSParameterInvalid')
  })

  it('deleting a table removes its rows, and is refused while it has a search index', async () => {
    await put(1)
    const schema = { fieldSchemas: [{ fieldName: 'kind', fieldType: FieldType.KEYWORD, index: true }] }
    await client.createSearchIndex({ tableName, indexName: 'kinds', schema })
    expect(await errorCodeOf(client.deleteTable({ tableName }))).toBe('OTSParameterInvalid')
    await client.deleteSearchIndex({ tableName, indexName: 'kinds' })
    await client.deleteTable({ tableName })
    expect(await errorCodeOf(put(1))).toBe('OTSObjectNotExist')
    await create()
    expect(await read(1)).toBeUndefined()
  })
})

describe('limits', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a value of more than 2 MB', () => put(1, [{ a: 'x'.repeat(2 * 1024 * 1024 + 1) }])],
    ['a key of more than 1 KB', () => put(1, [], anyRow, 'x'.repeat(1025))],
    [
      'a write of more than 4 MB',
      () =>
        put(
          1,
          ['a', 'b', 'c'].map(name => ({ [name]: 'x'.repeat(1_400_000 + 1) })),
        ),
    ],
    [
      'more than 1,024 columns',
      () =>
        put(
          1,
          Array.from({ length: 1025 }, (_, n) => ({ [`c${n}`]: '' })),
        ),
    ],
    [
      'a batch of more than 200 writes',
      () =>
        client.batchWriteRow({
          tables: [
            {
              tableName,
              rows: Array.from({ length: 201 }, (_, n) => ({
                type: 'DELETE' as const,
                condition: anyRow,
                primaryKey: keyOf(n),
              })) as never,
            },
          ],
        }),
    ],
    [
      'a batch of more than 100 rows',
      () =>
        client.batchGetRow({
          tables: [{ tableName, primaryKey: Array.from({ length: 101 }, (_, n) => keyOf(n)) }],
        }),
    ],
  ])('a request over a service limit is refused: %s', async (_, work) => {
    expect(await errorCodeOf(work())).toBe('OTSParameterInvalid')
  })

  it('a request of more than 5 MB is refused', async () => {
    const columns = ['a', 'b', 'c'].map(name => ({ [name]: 'x'.repeat(1_900_000) }))
    expect(await errorCodeOf(put(1, columns))).toBe('OTSRequestBodyTooLarge')
  })

  it('more than 64 tables are refused', async () => {
    for (let n = 1; n < 64; n++) await create(`t${n}`)
    expect(await errorCodeOf(create('one_more'))).toBe('OTSQuotaExhausted')
    expect(await errorCodeOf(create('t1'))).toBe('OTSObjectAlreadyExist')
  })
})
