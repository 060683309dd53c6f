// OSS, Tablestore and MNS through a proxy: the client libraries use its tunnels.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startMns } from '../../../emulators/mns/mns.ts'
import { startOss } from '../../../emulators/oss/oss.ts'
import { startTablestore } from '../../../emulators/tablestore/tablestore.ts'
import { ossStorage } from '../../../src/drivers/object-storage/oss/oss.ts'
import { mnsQueue } from '../../../src/drivers/queue/mns/mns.ts'
import { tablestoreStore } from '../../../src/drivers/store/tablestore/tablestore.ts'
import { noise, signal, stream, uploadOfAnn } from '../../support/contracts/object-storage.ts'
import { optionsFor, useResources } from '../../support/contracts/oss.ts'
import { failure } from '../../support/failure.ts'
import { startProxy, type TestProxy } from '../../support/servers/proxy.ts'

const { track } = useResources()

let target = 0
let proxy: TestProxy
beforeEach(async () => {
  proxy = await startProxy(() => target)
})
afterEach(() => proxy.close())

/** The address as one on the internet, where only the proxy finds it. */
function elsewhere(endpoint: string, host: string): string {
  target = Number(new URL(endpoint).port)
  return `http://${host}`
}
const proxies = () => ({ http: proxy.url, exceptions: '' })
const lines = () => [...new Set(proxy.requests.map(({ line }) => line))]

it('an upload reaches the bucket through the proxy', async () => {
  const oss = track(await startOss())
  const endpoint = elsewhere(oss.endpoint, 'oss.example.com')
  const storage = track(ossStorage(optionsFor(oss, { endpoint, proxies: proxies() })))
  await storage.upload(stream(noise(0.1)), uploadOfAnn, signal())
  expect(oss.objects()).toHaveLength(1)
  expect(lines()).toEqual(['CONNECT oss.example.com:80'])
})

it('the tables of a store are created through the proxy, and its refusal is an error of the store', async () => {
  const tables = track(await startTablestore())
  const { instance, accessKeyId, accessKeySecret } = tables
  const endpoint = elsewhere(tables.endpoint, 'ots.example.com')
  const options = {
    ...{ endpoint, instance, key: { accessKeyId, accessKeySecret }, prefix: 'speech_', proxies: proxies() },
    ...{ firstDelaySeconds: 0.01, timeoutSeconds: 1 },
  }
  await track(tablestoreStore(options)).setUp(signal())
  expect(lines()).toEqual(['CONNECT ots.example.com:80'])
  proxy.refuseWith(403)
  const refused = track(tablestoreStore(options)).setUp(signal())
  expect(await failure(refused)).toMatchObject({ code: 'STORE_FAILED' })
})

it('messages are sent and received through the proxy', async () => {
  const mns = track(await startMns())
  const { accessKeyId, accessKeySecret } = mns
  const queue = track(
    mnsQueue({
      ...{ endpoint: elsewhere(mns.endpoint, 'mns.example.com'), queue: 'jobs', concurrency: 2 },
      ...{ key: { accessKeyId, accessKeySecret }, ownersOf: async () => ['ann'], proxies: proxies() },
    }),
  )
  await queue.setUp(signal())
  await queue.send({ id: 'tr_1', owner: 'ann', lane: 'long' })
  const received = new Promise(resolve =>
    queue.serve(async ({ id }) => {
      resolve(id)
      return 'ack'
    }),
  )
  expect(await received).toBe('tr_1')
  // Before the proxy: its polls would fail.
  await queue.close()
  expect(lines()).toEqual(['CONNECT mns.example.com:80'])
})
