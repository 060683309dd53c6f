// One OSS session: a client per request, retries, and `abort()` for requests in flight.
import type { Agent } from 'node:http'
import type OSS from 'ali-oss'
import { cancelled } from '../../../domain/errors.ts'
import type { Proxies } from '../../../domain/network/proxies.ts'
import { unlessAborted } from '../../../domain/waiting/unless-aborted.ts'
import { retry } from '../../http/retry.ts'
import { agentFor } from '../../http/tunnel.ts'
import type { OssEndpoint } from './endpoint.ts'
import { ossError } from './errors.ts'

/** Read at each request, so that a caller can renew temporary credentials in place. */
export interface OssCredentials {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken?: string | undefined
}

export interface SessionOptions {
  /** Called at each request. */
  endpoint(): OssEndpoint
  bucket: string
  credentials: OssCredentials
  proxies?: Proxies | undefined
  /** Pause before the second attempt. */
  firstDelaySeconds: number
  /** Time limits of a request, and of one that carries audio. */
  timeoutSeconds: { response: number; transfer: number }
}

export interface OssSession {
  /** Makes a request, with a few retries. Throws `SpeechError`, or the reason of the signal; then abort the session. */
  request<T>(work: (client: OSS) => Promise<T>, signal: AbortSignal): Promise<T>
  /** Same, for a request that may leave an object behind: the signal does not interrupt an attempt. */
  requestToEnd<T>(work: (client: OSS) => Promise<T>, signal: AbortSignal): Promise<T>
  /** Closes all connections; resolves when no request is in flight. */
  abort(): Promise<void>
}

const maxAttempts = 6
const maxDelaySeconds = 8
const ignore = () => {}

/** The library's own `cancel` affects all uploads of a client, so each session has its own connections to destroy. */
export function openSession(options: SessionOptions): OssSession {
  let agent: Agent | undefined
  const inFlight = new Set<Promise<unknown>>()
  let isAborted = false

  async function attempt<T>(work: (client: OSS) => Promise<T>): Promise<T> {
    const { upload } = options.endpoint()
    agent ??= agentFor(upload, options.proxies, { keepAlive: true })
    const client = await createClient(options, upload, { agent, httpsAgent: agent })
    return work(client).catch(error => {
      throw ossError(error)
    })
  }

  function requestWith<T>(
    work: (client: OSS) => Promise<T>,
    signal: AbortSignal,
    wait: (request: Promise<T>) => Promise<T>,
  ): Promise<T> {
    const { firstDelaySeconds } = options
    return retry(
      () => {
        signal.throwIfAborted()
        if (isAborted) throw cancelled()
        const request = attempt(work)
        const ended = request.then(ignore, ignore).finally(() => inFlight.delete(ended))
        inFlight.add(ended)
        return wait(request)
      },
      { maxAttempts, firstDelaySeconds, maxDelaySeconds, signal },
    )
  }

  return {
    request: (work, signal) => requestWith(work, signal, request => unlessAborted(request, signal)),
    requestToEnd: (work, signal) => requestWith(work, signal, request => request),
    async abort() {
      isAborted = true
      agent?.destroy()
      await Promise.all(inFlight)
    },
  }
}

/** Missing in the types of the library. */
interface ClientOptions extends OSS.Options {
  sldEnable: boolean
  agent?: Agent | undefined
  httpsAgent?: Agent | undefined
}

/** Cheap; the first call loads the library of 18 MB. */
export async function createClient(
  { endpoint, bucket, credentials, timeoutSeconds }: Omit<SessionOptions, 'firstDelaySeconds'>,
  url: string,
  agents: Pick<ClientOptions, 'agent' | 'httpsAgent'> = {},
): Promise<OSS> {
  const { default: Client } = await import('ali-oss')
  const { region, pathStyle } = endpoint()
  const options: ClientOptions = {
    bucket,
    endpoint: url,
    region,
    sldEnable: pathStyle,
    secure: !pathStyle,
    authorizationV4: true,
    accessKeyId: credentials.accessKeyId,
    accessKeySecret: credentials.accessKeySecret,
    // Without an interval, the library prints advice about renewing tokens.
    ...(credentials.securityToken && {
      stsToken: credentials.securityToken,
      refreshSTSTokenInterval: 60_000,
    }),
    timeout: timeoutSeconds.response * 1000,
    ...agents,
  }
  return new Client(options)
}

/** Options of a request that carries audio. The library passes on a pair of connect and response time that its types lack. */
export function transferTimeout({ response, transfer }: SessionOptions['timeoutSeconds']) {
  return { timeout: [response * 1000, transfer * 1000] as unknown as number }
}
