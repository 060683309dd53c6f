// The way to OSS for one piece of work: a client for each request, retries, and an end that cuts what is under way.
import http from 'node:http'
import https from 'node:https'
import type OSS from 'ali-oss'
import { cancelled, isSpeechError } from '../../../domain/errors.ts'
import { log } from '../../../log.ts'
import { orAborted, pause } from '../abortable.ts'
import type { OssEndpoint } from './endpoint.ts'
import { ossError } from './errors.ts'

/** Read at each request: an object whose key is replaced when its token ends goes on working. */
export interface OssCredentials {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken?: string | undefined
}

export interface LineOptions {
  /** Called for each request. */
  place(): OssEndpoint
  bucket: string
  key: OssCredentials
  /** Seconds before the second attempt. */
  firstDelay: number
  /** Seconds that OSS may take for a request, and for one that carries audio. */
  patience: { response: number; transfer: number }
}

export interface Line {
  /** Asks until it is answered, a few times. Throws `SpeechError`, or the signal's reason; then cut the line. */
  ask<T>(work: (client: OSS) => Promise<T>, signal: AbortSignal): Promise<T>
  /** The same for a request that leaves something in the bucket: one that is under way is waited for. */
  decide<T>(work: (client: OSS) => Promise<T>, signal: AbortSignal): Promise<T>
  /** Ends all connections; resolves when nothing is under way any more. */
  cut(): Promise<void>
}

const attempts = 6
const ignore = () => {}

/** The library's own `cancel` ends all uploads of a client; so each piece of work has connections of its own to cut. */
export function openLine(options: LineOptions): Line {
  const agents = {
    agent: new http.Agent({ keepAlive: true }),
    httpsAgent: new https.Agent({ keepAlive: true }),
  }
  const underWay = new Set<Promise<unknown>>()
  let isCut = false

  async function once<T>(work: (client: OSS) => Promise<T>): Promise<T> {
    const client = await createClient(options, options.place().upload, agents)
    return work(client).catch(error => {
      throw ossError(error)
    })
  }

  async function ask<T>(
    work: (client: OSS) => Promise<T>,
    signal: AbortSignal,
    whileUnderWay: (request: Promise<T>) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted()
      if (isCut) throw cancelled()
      const request = once(work)
      const done = request.then(ignore, ignore).finally(() => underWay.delete(done))
      underWay.add(done)
      try {
        return await whileUnderWay(request)
      } catch (error) {
        if (!isSpeechError(error) || !error.retryable || attempt >= attempts) throw error
        log.info('retry', { code: error.code, attempt })
        await pause(attempt, options.firstDelay, signal)
      }
    }
  }

  return {
    ask: (work, signal) => ask(work, signal, request => orAborted(request, signal)),
    decide: (work, signal) => ask(work, signal, request => request),
    async cut() {
      isCut = true
      agents.agent.destroy()
      agents.httpsAgent.destroy()
      await Promise.all(underWay)
    },
  }
}

/** The library's types leave these out. */
interface ClientOptions extends OSS.Options {
  sldEnable: boolean
  agent?: http.Agent
  httpsAgent?: https.Agent
}

/** Cheap; the library itself, 18 MB, is loaded with the first one. */
export async function createClient(
  { place, bucket, key, patience }: Omit<LineOptions, 'firstDelay'>,
  endpoint: string,
  agents: { agent?: http.Agent; httpsAgent?: https.Agent } = {},
): Promise<OSS> {
  const { default: Client } = await import('ali-oss')
  const { region, pathStyle } = place()
  const options: ClientOptions = {
    bucket,
    endpoint,
    region,
    sldEnable: pathStyle,
    secure: !pathStyle,
    authorizationV4: true,
    accessKeyId: key.accessKeyId,
    accessKeySecret: key.accessKeySecret,
    // The library prints an advice about tokens unless it is told how often to renew them.
    ...(key.securityToken && { stsToken: key.securityToken, refreshSTSTokenInterval: 60_000 }),
    timeout: patience.response * 1000,
    ...agents,
  }
  return new Client(options)
}

/** For a request that carries audio: soon connected, but long under way. The library hands a pair through that its types lack. */
export function transferTime({ response, transfer }: LineOptions['patience']): { timeout: number } {
  return { timeout: [response * 1000, transfer * 1000] as unknown as number }
}
