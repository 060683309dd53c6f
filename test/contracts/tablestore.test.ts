// The Tablestore store: the contract of stores.
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
  const emulator = await startTablestore()
  const store = openStore(emulator)
  await store.setUp(signal)
  await store.close()
  return { open: () => openStore(emulator), remove: emulator.close }
})
