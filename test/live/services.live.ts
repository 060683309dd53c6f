// Runs the contracts of store and queue against the real Tablestore and MNS, in tables and queues deleted afterwards.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { mnsQueue } from '../../src/drivers/queue/mns/mns.ts'
import { createRequests } from '../../src/drivers/store/tablestore/requests.ts'
import { createRows, type Key } from '../../src/drivers/store/tablestore/rows.ts'
import {
  indexName,
  searchedTable,
  type Table,
  tableNameOf,
  tables,
} from '../../src/drivers/store/tablestore/tables.ts'
import { tablestoreStore } from '../../src/drivers/store/tablestore/tablestore.ts'
import { queueContract } from '../support/contracts/queue.ts'
import { storeContract } from '../support/contracts/store.ts'

const { serviceKey: key, tablestoreEndpoint, tablestoreInstance: instance, mnsEndpoint } = readConfig()
const { signal } = new AbortController()
const runId = randomBytes(4).toString('hex')
const allTables = Object.keys(tables) as Table[]

if (key && tablestoreEndpoint !== undefined) {
  const options = {
    endpoint: tablestoreEndpoint,
    prefix: `speech_test_${runId}_`,
    key,
    instance,
  }
  const requests = createRequests(options)
  const rows = createRows(requests, options.prefix)

  beforeAll(async () => {
    await tablestoreStore(options).setUp(signal)
  })
  afterAll(async () => {
    const tableName = tableNameOf(options.prefix, searchedTable)
    await requests.call('ots:DeleteSearchIndex', ({ client }) =>
      client.deleteSearchIndex({ tableName, indexName }),
    )
    for (const table of allTables)
      await requests.call('ots:DeleteTable', ({ client }) =>
        client.deleteTable({ tableName: tableNameOf(options.prefix, table) }),
      )
    requests.close()
  })

  async function deleteAllRows(): Promise<void> {
    for (const table of allTables)
      for await (const page of rows.range(table, { within: {} }, 10_000))
        for (const row of page) {
          const names = Object.keys(tables[table])
          await rows.delete(table, Object.fromEntries(names.map(name => [name, row[name]])) as Key)
        }
  }

  storeContract('the real Tablestore', async () => ({
    open: () => tablestoreStore(options),
    remove: deleteAllRows,
  }))
} else describe.skip('the real Tablestore', () => it('needs TABLESTORE_ENDPOINT and a key', () => {}))

if (key && mnsEndpoint !== undefined) {
  let queues = 0
  queueContract('the real MNS', async () => {
    const queue = `speech-test-${runId}-${queues++}`
    const open = (concurrency: number) =>
      mnsQueue({
        endpoint: mnsEndpoint,
        queue,
        key,
        concurrency,
        ownersOf: async () => ['ann'],
        visibilitySeconds: 5,
      })
    await open(1).setUp(signal)
    return {
      open,
      async remove() {
        const client = await mnsClient(mnsEndpoint)
        for (const name of [queue, `${queue}-brief`]) await client.deleteQueue(name)
      },
    }
  })
} else describe.skip('the real MNS', () => it('needs MNS_ENDPOINT and a key', () => {}))

/** Only these tests delete queues, so the driver has no such method. */
async function mnsClient(endpoint: string) {
  interface Client {
    deleteQueue(name: string): Promise<unknown>
  }
  const name: string = '@alicloud/mns'
  const { default: Library } = (await import(name)) as {
    default: new (account: string, options: object) => Client
  }
  return new Library(new URL(endpoint).hostname.split('.')[0]!, { endpoint, ...key })
}
