// The cloud of a team: emulators of DashScope, OSS, Tablestore and MNS, each a server of its own on loopback.
import { type DashscopeEmulator, type DashscopeOptions, startDashscope } from './dashscope/dashscope.ts'
import { type MnsEmulator, type MnsOptions, startMns } from './mns/mns.ts'
import type { OssEmulator } from './oss/oss.ts'
import { startTablestore, type TablestoreEmulator, type TablestoreOptions } from './tablestore/tablestore.ts'

export interface CloudOptions extends DashscopeOptions {
  tablestore?: TablestoreOptions
  mns?: MnsOptions
}

export interface Cloud {
  dashscope: DashscopeEmulator
  oss: OssEmulator
  tablestore: TablestoreEmulator
  mns: MnsEmulator
  /** Keys of the objects and of the unfinished uploads in the bucket, but for the secret of the pages, which stays. */
  bucketKeys(): string[]
  close(): Promise<void>
}

/** Opens the bucket, the tables and the queues, as the key of one RAM user does. */
const key = { accessKeyId: 'LTAI5tEmulatorTeamKey000', accessKeySecret: 'emulator-team-secret-000000000' }

export async function startCloud({ tablestore: tables, mns: queues, ...options }: CloudOptions) {
  const bucket = options.oss === true || options.oss === undefined ? {} : options.oss
  const tablestore = await startTablestore({ ...key, ...tables })
  const mns = await startMns({ ...key, ...queues })
  const dashscope = await startDashscope({ ...options, oss: { credentials: [key], ...bucket } })
  const oss = dashscope.oss!
  const cloud: Cloud = {
    dashscope,
    oss,
    tablestore,
    mns,
    bucketKeys: () =>
      [...oss.objects(), ...oss.unfinishedUploads()]
        .map(({ key }) => key)
        .filter(key => !key.startsWith('speech-mcp/uploads/keys/')),
    async close() {
      await Promise.all([dashscope.close(), tablestore.close(), mns.close()])
    },
  }
  return cloud
}
