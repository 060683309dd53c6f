// Several machines: houses that share a store, a queue and a bucket, each of them a stand-in of the service.
import { randomBytes } from 'node:crypto'
import { type MnsEmulator, startMns } from '../../../emulators/mns/mns.ts'
import { type OssEmulator, startOss } from '../../../emulators/oss/oss.ts'
import { startTablestore, type TablestoreEmulator } from '../../../emulators/tablestore/tablestore.ts'
import { fixedInstallationId } from '../../../src/drivers/object-storage/installation-id.ts'
import { ossStorage } from '../../../src/drivers/object-storage/oss/oss.ts'
import { mnsQueue } from '../../../src/drivers/queue/mns/mns.ts'
import { tablestoreStore } from '../../../src/drivers/store/tablestore/tablestore.ts'
import { type House, type HouseOptions, type Site, startSite } from './harness.ts'

export interface Team {
  site: Site
  tables: TablestoreEmulator
  mns: MnsEmulator
  oss: OssEmulator
  /** A server in front: it orders, and carries nothing out. */
  front(wish?: HouseOptions): Promise<House>
  /** A worker, which sees none of the files. */
  worker(wish?: TeamWish): Promise<House>
  /** Names of what lies in the bucket, unfinished uploads too. */
  bucket(): string[]
  close(): Promise<void>
}

export interface TeamWish extends HouseOptions {
  places?: number
  /** Seconds that a message stays with it. */
  visibility?: number
}

export async function startTeam(chunks = 3): Promise<Team> {
  const [site, tables, mns, oss] = await Promise.all([
    startSite(chunks),
    startTablestore(),
    startMns(),
    startOss(),
  ])
  const { signal } = new AbortController()

  function shared(serves: boolean, { places = 4, visibility }: TeamWish) {
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
      concurrency: places,
      firstDelaySeconds: 0.02,
      ...(visibility !== undefined && { visibilitySeconds: visibility }),
      key: { accessKeyId: mns.accessKeyId, accessKeySecret: mns.accessKeySecret },
      ownersOf: id => store.ownersOf(id),
    })
    return { store, queue, serves }
  }

  async function open(serves: boolean, wish: TeamWish): Promise<House> {
    const name = `machine-${randomBytes(4).toString('hex')}/1//mark`
    const blobs = { ...bucketOf(oss), ...wish.blobs }
    return site.open({ name, ...wish, blobs, team: shared(serves, wish) })
  }

  const first = shared(false, {})
  await first.store.setUp(signal)
  await first.queue.setUp(signal)
  await Promise.all([first.store.close(), first.queue.close()])
  return {
    site,
    tables,
    mns,
    oss,
    front: (wish = {}) => open(false, wish),
    worker: (wish = {}) => open(true, { allowedDirs: [], ...wish }),
    bucket: () => [...oss.objects(), ...oss.unfinishedUploads()].map(({ key }) => key),
    async close() {
      await site.close()
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
