// The contracts of store and queue against Tablestore and MNS themselves, in tables and queues that are gone afterwards.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { mnsQueue } from '../../src/drivers/queue/mns/mns.ts'
import { createRequests } from '../../src/drivers/store/tablestore/requests.ts'
import { createRows, type Key } from '../../src/drivers/store/tablestore/rows.ts'
import { indexName, nameOf, searched, type Table, tables } from '../../src/drivers/store/tablestore/tables.ts'
import { tablestoreStore } from '../../src/drivers/store/tablestore/tablestore.ts'
import { queueContract } from '../support/contracts/queue.ts'
import { storeContract } from '../support/contracts/store.ts'

const { serviceKey: key, tablestoreEndpoint, tablestoreInstance: instance, mnsEndpoint } = readConfig()
const { signal } = new AbortController()
const mark = randomBytes(4).toString('hex')
const everything = Object.keys(tables) as Table[]

if (key && tablestoreEndpoint !== undefined) {
  const options = {
    endpoint: tablestoreEndpoint,
    prefix: `speech_test_${mark}_`,
    key,
    ...(instance !== undefined && { instance }),
  }
  const line = createRequests(options)
  const rows = createRows(line, options.prefix)

  beforeAll(async () => {
    await tablestoreStore(options).setUp(signal)
  })
  afterAll(async () => {
    const tableName = nameOf(options.prefix, searched)
    await line.call('ots:DeleteSearchIndex', ({ client }) =>
      client.deleteSearchIndex({ tableName, indexName }),
    )
    for (const table of everything)
      await line.call('ots:DeleteTable', ({ client }) =>
        client.deleteTable({ tableName: nameOf(options.prefix, table) }),
      )
    line.close()
  })

  async function empty(): Promise<void> {
    for (const table of everything)
      for await (const page of rows.range(table, { from: {}, to: {} }, 10_000))
        for (const row of page) {
          const names = Object.keys(tables[table])
          await rows.remove(table, Object.fromEntries(names.map(name => [name, row[name]])) as Key)
        }
  }

  storeContract('Tablestore itself', async () => ({ open: () => tablestoreStore(options), remove: empty }))
} else describe.skip('Tablestore itself', () => it('needs TABLESTORE_ENDPOINT and a key', () => {}))

if (key && mnsEndpoint !== undefined) {
  let made = 0
  queueContract('MNS itself', async () => {
    const queue = `speech-test-${mark}-${made++}`
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
} else describe.skip('MNS itself', () => it('needs MNS_ENDPOINT and a key', () => {}))

/** What the driver has no use for. */
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
