// Serves recordings from this process to a recognition server of the user's own: each task gets a secret name.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { pipeline } from 'node:stream/promises'
import { SpeechError } from '../../../domain/errors.ts'
import { isPrivateHost } from '../../../domain/network/private-hosts.ts'
import type { ObjectStorage } from '../../../domain/ports.ts'
import { createSpool, type Spool } from '../dashscope-temporary/spool.ts'

/** `host`: an address of this machine or the name of a network interface. Listens from the first upload on. */
export function servedStorage({ host }: { host: string }): ObjectStorage {
  const served = new Map<string, Spool & { remove(): Promise<void>; job: string }>()
  let listening: Promise<{ server: Server; origin: string }> | undefined

  async function respond({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    const spool = served.get(url?.slice(1) ?? '')
    if (!spool || (method !== 'GET' && method !== 'HEAD')) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': 'audio/mpeg', 'content-length': spool.bytes })
    if (method === 'HEAD') response.end()
    // The reader may go away midway.
    else await pipeline(spool.pieces(), response).catch(() => {})
  }

  async function listen(): Promise<{ server: Server; origin: string }> {
    const address = addressOf(host)
    const server = createServer((request, response) => void respond(request, response))
    server.listen(0, address)
    await once(server, 'listening').catch(cause => {
      throw notServable(`Recordings cannot be served at ${address}.`, cause)
    })
    const { port } = server.address() as AddressInfo
    return { server, origin: `http://${isIP(address) === 6 ? `[${address}]` : address}:${port}` }
  }

  function open() {
    listening ??= listen().catch(error => {
      listening = undefined
      throw error
    })
    return listening
  }

  return {
    way: 'served',
    async upload(audio, { owner, job, models, scratch }, signal) {
      await open()
      const spool = { ...(await createSpool(audio, scratch, signal)), job: `${owner} ${job}` }
      const names = models.map(model => [model, `${randomUUID()}.mp3`] as const)
      for (const [, name] of names) served.set(name, spool)
      return { way: 'served', keys: Object.fromEntries(names) }
    },
    async signedUrl({ keys }, model) {
      const name = keys[model]!
      if (served.has(name)) return `${(await open()).origin}/${name}`
      throw new SpeechError('UPLOAD_UNREACHABLE', 'The recording was served by a process that has ended.', {
        hint: 'Call again: it is served anew.',
        retryable: true,
      })
    },
    async delete({ keys }) {
      const job = Object.values(keys).map(name => served.get(name)?.job)[0]
      // Earlier uploads of the job go with it: a task may have been reading them until now.
      for (const [name, spool] of served) {
        if (spool.job !== job) continue
        served.delete(name)
        await spool.remove()
      }
    },
    sweep: async () => 0,
    async close() {
      const { server } = (await listening?.catch(() => undefined)) ?? {}
      server?.close()
      server?.closeAllConnections()
      await Promise.all([...served.values()].map(spool => spool.remove()))
      served.clear()
    },
  }
}

function addressOf(host: string): string {
  const ofInterface = networkInterfaces()[host] ?? []
  const found = ofInterface.find(({ family }) => family === 'IPv4') ?? ofInterface[0]
  const address = host === 'localhost' ? '127.0.0.1' : (found?.address ?? host)
  if (isIP(address) && isPrivateHost(address)) return address
  throw notServable(`SPEECH_FILE_HOST names no private address and no network interface of this machine.`)
}

function notServable(message: string, cause?: unknown): SpeechError {
  return new SpeechError('CONFIG_INVALID', message, {
    hint: 'Set SPEECH_FILE_HOST to an address of this machine in a private network, or to the name of an interface.',
    ...(cause !== undefined && { cause }),
  })
}
