// Several machines: harnesses that share a store, a queue and a bucket, each of them an emulator of the service.
import { randomBytes } from 'node:crypto'
import { expect, vi } from 'vitest'
import { type MnsEmulator, startMns } from '../../../emulators/mns/mns.ts'
import { type OssEmulator, startOss } from '../../../emulators/oss/oss.ts'
import { startTablestore, type TablestoreEmulator } from '../../../emulators/tablestore/tablestore.ts'
import { fixedInstallationId } from '../../../src/drivers/object-storage/installation-id.ts'
import { ossStorage } from '../../../src/drivers/object-storage/oss/oss.ts'
import { mnsQueue } from '../../../src/drivers/queue/mns/mns.ts'
import { tablestoreStore } from '../../../src/drivers/store/tablestore/tablestore.ts'
import { createWorkspace, type Harness, type HarnessOptions, type Workspace } from './harness.ts'

/** Waits for what another machine does. */
export const eventually = { timeout: 60_000, interval: 20 }

export interface Cluster {
  workspace: Workspace
  tables: TablestoreEmulator
  mns: MnsEmulator
  oss: OssEmulator
  /** A server in server: it orders, and carries nothing out. */
  openServer(options?: HarnessOptions): Promise<Harness>
  /** A worker, which sees none of the files. */
  openWorker(options?: ClusterOptions): Promise<Harness>
  /** Names of what lies in the bucket, unfinished uploads too. */
  bucketKeys(): string[]
  /** Resolves when nothing is left where the machines meet: in the bucket and in the queue. */
  emptied(): Promise<void>
  close(): Promise<void>
}

export interface ClusterOptions extends HarnessOptions {
  jobConcurrency?: number
  /** Seconds that a message stays with it. */
  visibility?: number
}

export async function startCluster(chunks = 3): Promise<Cluster> {
  const [workspace, tables, mns, oss] = await Promise.all([
    createWorkspace(chunks),
    startTablestore(),
    startMns(),
    startOss(),
  ])
  const { signal } = new AbortController()

  function shared(serves: boolean, { jobConcurrency = 4, visibility }: ClusterOptions) {
    const store = tablestoreStore({
      endpoint: tables.endpoint,
      instance: tables.instance,
      prefix: 'team_',
      firstDelaySeconds: 0.02,
      timeoutSeconds: 3,
      key: { accessKeyId: tables.accessKeyId, accessKeySecret: tables.accessKeySecret },
    })
    const queue = mnsQueue({
      endpoint: mns.endpoint,
      queue: 'jobs',
      concurrency: jobConcurrency,
      firstDelaySeconds: 0.02,
      ...(visibility !== undefined && { visibilitySeconds: visibility }),
      key: { accessKeyId: mns.accessKeyId, accessKeySecret: mns.accessKeySecret },
      ownersOf: id => store.ownersOf(id),
    })
    return { store, queue, serves }
  }

  async function open(serves: boolean, options: ClusterOptions): Promise<Harness> {
    const workerId = `machine-${randomBytes(4).toString('hex')}/1//mark`
    const blobs = { ...bucketOf(oss), ...options.blobs }
    return workspace.open({ workerId, ...options, blobs, cluster: shared(serves, options) })
  }

  const bucketKeys = () => [...oss.objects(), ...oss.unfinishedUploads()].map(({ key }) => key)
  const first = shared(false, {})
  await first.store.setUp(signal)
  await first.queue.setUp(signal)
  await Promise.all([first.store.close(), first.queue.close()])
  return {
    workspace,
    tables,
    mns,
    oss,
    openServer: (options = {}) => open(false, options),
    openWorker: (options = {}) => open(true, { allowedDirs: [], ...options }),
    bucketKeys,
    async emptied() {
      await vi.waitFor(() => expect(bucketKeys()).toEqual([]), eventually)
      await vi.waitFor(() => expect(mns.messages()).toEqual([]), eventually)
    },
    async close() {
      await workspace.close()
      await Promise.all([tables.close(), mns.close(), oss.close()])
    },
  }
}

export function bucketOf(oss: OssEmulator) {
  return ossStorage({
    bucket: oss.bucket,
    endpoint: oss.endpoint,
    firstDelaySeconds: 0.02,
    accessKeyId: oss.accessKeyId,
    accessKeySecret: oss.accessKeySecret,
    installationId: fixedInstallationId('team'),
  })
}
