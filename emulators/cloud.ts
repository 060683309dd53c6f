// The whole stand-in cloud of a team: models, bucket, tables and queues, each a server of its own on loopback.

import { type Standin, type StandinOptions, startStandin } from './dashscope/dashscope.ts'
import { type MnsOptions, type MnsStandin, startMns } from './mns/mns.ts'
import type { OssStandin } from './oss/oss.ts'
import { startTablestore, type TablestoreOptions, type TablestoreStandin } from './tablestore/tablestore.ts'

export interface CloudOptions extends Omit<StandinOptions, 'port'> {
  tables?: TablestoreOptions
  mns?: MnsOptions
}

export interface Cloud {
  models: Standin
  oss: OssStandin
  tables: TablestoreStandin
  mns: MnsStandin
  /** Names of what lies in the bucket, unfinished uploads too. */
  bucket(): string[]
  close(): Promise<void>
}

/** One key opens the bucket, the tables and the queues, as a RAM user's does. */
const key = { accessKeyId: 'LTAI5tStandinTeamKey0000', accessKeySecret: 'standin-team-secret-0000000000' }

export async function startCloud({ tables: tablesOptions, mns: mnsOptions, ...options }: CloudOptions) {
  const bucket = options.oss === true || options.oss === undefined ? {} : options.oss
  const tables = await startTablestore({ ...key, ...tablesOptions })
  const mns = await startMns({ ...key, ...mnsOptions })
  const models = await startStandin({ ...options, oss: { credentials: [key], ...bucket } })
  const oss = models.oss!
  const cloud: Cloud = {
    models,
    oss,
    tables,
    mns,
    bucket: () => [...oss.objects(), ...oss.multiparts()].map(({ key }) => key),
    async close() {
      await Promise.all([models.close(), tables.close(), mns.close()])
    },
  }
  return cloud
}
