// Services that the settings choose: store, queue, object storage and uploads. Those of a team are loaded where they are used.
import { join } from 'node:path'
import type { Config } from './config/config.ts'
import type { SecretKey } from './domain/network/secret-key.ts'
import type { UploadSource, Uploads } from './domain/network/uploads.ts'
import type { ObjectStorage, Store } from './domain/ports.ts'
import { lazily } from './domain/waiting/lazily.ts'
import type { Dashscope } from './drivers/http/dashscope.ts'
import { temporaryStorage } from './drivers/object-storage/dashscope-temporary/temporary.ts'
import { installationIdFor } from './drivers/object-storage/installation-id.ts'
import type { OssOptions } from './drivers/object-storage/oss/oss.ts'
import { servedStorage } from './drivers/object-storage/served/served.ts'

export async function createSharedStore({
  tablestoreEndpoint: endpoint,
  serviceKey: key,
  ...config
}: Config) {
  if (endpoint === undefined || !key) return undefined
  const { tablestoreInstance: instance, tablestorePrefix: prefix, retentionDays, proxies } = config
  const { tablestoreStore } = await import('./drivers/store/tablestore/tablestore.ts')
  return tablestoreStore({ endpoint, key, prefix, instance, retentionDays, proxies })
}

export async function createSharedQueue(config: Config, ownersOf: (id: string) => Promise<string[]>) {
  const { mnsEndpoint: endpoint, mnsQueue: queue, serviceKey: key, workerJobs: concurrency, proxies } = config
  if (endpoint === undefined || !key) return undefined
  const { mnsQueue } = await import('./drivers/queue/mns/mns.ts')
  return mnsQueue({ endpoint, queue, key, concurrency, ownersOf, proxies })
}

/** The user's bucket if configured, else this process for an own server, else the provider's temporary storage. */
export async function createObjectStorage(config: Config, cloud: Dashscope): Promise<ObjectStorage> {
  const options = bucketOptions(config)
  if (!options)
    return config.ownDashscope
      ? servedStorage({ host: config.ownDashscope.fileHost })
      : temporaryStorage({ cloud, proxies: config.proxies })
  const { ossStorage } = await import('./drivers/object-storage/oss/oss.ts')
  return ossStorage(options)
}

function bucketOptions(config: Config): OssOptions | undefined {
  const { ossBucket: bucket, ossEndpoint: endpoint, ossRegion: region, bucketKey, proxies } = config
  if (!bucket || !bucketKey) return undefined
  return { bucket, endpoint, ...bucketKey, installationId: installationIdFor(config), region, proxies }
}

/**
 * Recordings that are uploaded over HTTP: in the bucket where machines share a store, else in the data folder. Loaded on
 * first use: any process may take over a job with an upload.
 */
export function uploadsOf(
  config: Config,
  jobs: Store,
): { load(): Promise<Uploads>; source: UploadSource; close(): Promise<void> } {
  const options = config.tablestoreEndpoint === undefined ? undefined : bucketOptions(config)

  async function create(): Promise<Uploads> {
    const { createUploads } = await import('./drivers/uploads/uploads.ts')
    const store = options
      ? (await import('./drivers/object-storage/oss/received.ts')).receivedInOss(options)
      : (await import('./drivers/uploads/files.ts')).uploadFiles(join(config.dataDir, 'uploads'))
    return createUploads({ store, maxBytes: config.maxDownloadMb * 1e6, jobs })
  }

  const { get: load, loaded } = lazily(create)
  return {
    load,
    source: {
      isHere: !options,
      find: async (...of) => (await load()).find(...of),
      open: async (...of) => (await load()).open(...of),
    },
    close: async () => (await loaded())?.close(),
  }
}

/** The key of addresses and sessions that end: lies where the uploads do, and is loaded on first use too. */
export function pageKeyOf(config: Config): SecretKey {
  async function create(): Promise<SecretKey> {
    const options = config.tablestoreEndpoint === undefined ? undefined : bucketOptions(config)
    if (!options) return (await import('./drivers/secret-key/key-file.ts')).keyFile(config.dataDir)
    const { keyInOss } = await import('./drivers/object-storage/oss/key-object.ts')
    return keyInOss({ ...options, installation: await options.installationId!.getOrCreate() })
  }

  const key = lazily(create)
  return {
    get: async () => (await key.get()).get(),
    close: async () => (await key.loaded())?.close(),
  }
}
