// A server in the process of the test: it needs a fifth of the processor's time that a process takes to warm up.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import type { Transport } from '@modelcontextprotocol/server'
import { createApp } from '../../../src/app.ts'
import { canRunJobs, readConfig } from '../../../src/config/config.ts'
import { localOwner } from '../../../src/domain/job.ts'
import { createServer } from '../../../src/server/server.ts'

export interface ServerHere {
  client: Client
  close(): Promise<void>
}

/** For files that start several servers; others show that the built program answers the same. */
export async function startServerHere(env: Record<string, string>): Promise<ServerHere> {
  const config = readConfig(env)
  const app = await createApp(config)
  if (canRunJobs(config)) app.jobs.startRecovery()
  const options = { jobs: app.jobs, version: '1', waitSeconds: config.waitSeconds }
  const connection = { owner: localOwner, era: 'legacy', push: true, closingCancels: false } as const
  const [here, there] = InMemoryTransport.createLinkedPair()
  for (const transport of [here, there]) passOnAsJson(transport)
  await createServer(options, connection).connect(there as Transport)
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(here)
  return {
    client,
    async close() {
      await client.close()
      await app.close({ drainSeconds: 0 })
    },
  }
}

/** As pipes do: the other side gets a copy, without what JSON has no form for. */
function passOnAsJson(transport: InMemoryTransport): void {
  const send = transport.send.bind(transport)
  transport.send = (message, options) => send(JSON.parse(JSON.stringify(message)), options)
}
