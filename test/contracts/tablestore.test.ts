// The store that machines share: the contract of a store, and what only a service far away does to it.

import { startTablestore, type TablestoreEmulator } from '../../emulators/tablestore/tablestore.ts'
import { type TablestoreStore, tablestoreStore } from '../../src/drivers/store/tablestore/tablestore.ts'
import { storeContract } from '../support/contracts/store.ts'

const { signal } = new AbortController()

function openStore({ endpoint, instance, ...key }: TablestoreEmulator): TablestoreStore {
  const { accessKeyId, accessKeySecret } = key
  return tablestoreStore({
    endpoint,
    instance,
    prefix: 'speech_',
    key: { accessKeyId, accessKeySecret },
    firstDelaySeconds: 0.01,
  })
}

storeContract('Tablestore', async () => {
  const standin = await startTablestore()
  const store = openStore(standin)
  await store.setUp(signal)
  await store.close()
  return { open: () => openStore(standin), remove: standin.close }
})
