// A large library in Tablestore's emulator, which runs in a process of its own.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import Tablestore from 'tablestore'
import { startTablestore } from '../../emulators/tablestore/tablestore.ts'
import { toRecord } from '../../src/domain/job-record.ts'
import { serialize, summaryOf } from '../../src/drivers/store/serialize.ts'
import { ownerKey, tableNameOf } from '../../src/drivers/store/tablestore/tables.ts'
import { tablestoreStore } from '../../src/drivers/store/tablestore/tablestore.ts'
import { jobOf, transcriptOf } from './transcripts.ts'

export interface TablestoreLibrary {
  /** Settings of a server that keeps its transcripts there. */
  env: Record<string, string>
  fill(count: number, owner: string): Promise<void>
  stop(): void
}

interface Started {
  endpoint: string
  instance: string
  accessKeyId: string
  accessKeySecret: string
}

const sentences = 10
const prefix = 'bench_'
/** Transcripts of one write: each is three rows, and the service takes two hundred. */
const written = 60
const concurrency = 4

export async function startTablestoreLibrary(): Promise<TablestoreLibrary> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], {
    execArgv: ['--import', 'tsx', '--max-old-space-size=8192'],
  })
  const [{ endpoint, instance, accessKeyId, accessKeySecret }] = (await once(child, 'message')) as [Started]
  const store = tablestoreStore({ endpoint, instance, prefix, key: { accessKeyId, accessKeySecret } })
  await store.setUp(new AbortController().signal)
  await store.close()
  const client = new Tablestore.Client({
    accessKeyId,
    secretAccessKey: accessKeySecret,
    endpoint,
    instancename: instance,
  })

  async function write(numbers: number[], owner: string): Promise<void> {
    const rows = await Promise.all(numbers.map(n => rowsOf(n, owner)))
    const tables = (['transcripts', 'listing', 'jobs'] as const).map(table => ({
      tableName: tableNameOf(prefix, table),
      rows: rows.map(row => row[table]),
    }))
    await client.batchWriteRow({ tables } as never)
  }

  return {
    env: {
      TABLESTORE_ENDPOINT: endpoint,
      TABLESTORE_INSTANCE: instance,
      TABLESTORE_PREFIX: prefix,
      ALIBABA_ACCESS_KEY: accessKeyId,
      ALIBABA_SECRET_KEY: accessKeySecret,
    },
    async fill(count, owner) {
      let next = 1
      const writer = async () => {
        while (next <= count) {
          const from = next
          next += written
          await write(
            Array.from({ length: Math.min(written, count - from + 1) }, (_, i) => from + i),
            owner,
          )
        }
      }
      await Promise.all(Array.from({ length: concurrency }, writer))
    },
    stop: () => child.disconnect(),
  }
}

async function rowsOf(n: number, owner: string) {
  const transcript = transcriptOf(n, sentences)
  const { id, createdAt: created } = transcript
  const { body, title, text } = await serialize(transcript)
  const words = ` ${title} | ${text} `.replace(/ {2,}/g, ' ')
  const job = JSON.stringify(toRecord(jobOf(n, owner)))
  const { Long } = Tablestore
  const put = (key: object[], columns: object) => ({
    type: 'PUT',
    condition: new Tablestore.Condition(Tablestore.RowExistenceExpectation.IGNORE, null),
    primaryKey: key,
    attributeColumns: Object.entries(columns).map(([name, value]) => ({ [name]: value })),
  })
  const summary = JSON.stringify(summaryOf(transcript))
  return {
    transcripts: put([{ id }, { owner }], {
      ...{ created, summary, words, body: Buffer.from(body), parts: Long.fromNumber(0) },
    }),
    listing: put([{ owner: ownerKey(owner) }, { created }, { id }], { written: Long.fromNumber(0) }),
    jobs: put([{ id }, { owner }], {
      ...{ body: Buffer.from(job), revision: Long.fromNumber(5), write: 'bench' },
    }),
  }
}

if (process.argv[2] === 'serve') {
  const { endpoint, instance, accessKeyId, accessKeySecret } = await startTablestore()
  process.send!({ endpoint, instance, accessKeyId, accessKeySecret } satisfies Started)
  process.once('disconnect', () => process.exit())
}
