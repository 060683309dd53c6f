// The whole stand-in cloud of a team: models, bucket, tables and queues, each a server of its own on loopback.

import { type DashscopeEmulator, type DashscopeOptions, startDashscope } from './dashscope/dashscope.ts'
import { type MnsEmulator, type MnsOptions, startMns } from './mns/mns.ts'
import type { OssEmulator } from './oss/oss.ts'
import { startTablestore, type TablestoreEmulator, type TablestoreOptions } from './tablestore/tablestore.ts'

export interface CloudOptions extends Omit<DashscopeOptions, 'port'> {
  tablestore?: TablestoreOptions
  mns?: MnsOptions
}

export interface Cloud {
  models: DashscopeEmulator
  oss: OssEmulator
  tables: TablestoreEmulator
  mns: MnsEmulator
  /** Names of what lies in the bucket, unfinished uploads too. */
  bucketKeys(): string[]
  close(): Promise<void>
}

/** One key opens the bucket, the tables and the queues, as a RAM user's does. */
const key = { accessKeyId: 'LTAI5tStandinTeamKey0000', accessKeySecret: 'standin-team-secret-0000000000' }

export async function startCloud({ tablestore: tablesOptions, mns: mnsOptions, ...options }: CloudOptions) {
  const bucket = options.oss === true || options.oss === undefined ? {} : options.oss
  const tables = await startTablestore({ ...key, ...tablesOptions })
  const mns = await startMns({ ...key, ...mnsOptions })
  const models = await startDashscope({ ...options, oss: { credentials: [key], ...bucket } })
  const oss = models.oss!
  const cloud: Cloud = {
    models,
    oss,
    tables,
    mns,
    bucketKeys: () => [...oss.objects(), ...oss.unfinishedUploads()].map(({ key }) => key),
    async close() {
      await Promise.all([models.close(), tables.close(), mns.close()])
    },
  }
  return cloud
}
