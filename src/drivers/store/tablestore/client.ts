// Client library of Tablestore: loaded on first use, with one client and its own connections.
import type { Agent } from 'node:http'
import type Tablestore from 'tablestore'
import { SpeechError } from '../../../domain/errors.ts'
import { deadlines } from '../../../domain/network/deadlines.ts'
import type { Proxies } from '../../../domain/network/proxies.ts'
import { agentFor } from '../../http/tunnel.ts'

export interface ConnectionOptions {
  endpoint: string
  /** Default: the first part of the endpoint's host name. */
  instance?: string | undefined
  proxies?: Proxies | undefined
  key: { accessKeyId: string; accessKeySecret: string; securityToken?: string | undefined }
}

export type Library = typeof Tablestore

export interface LoadedClient {
  lib: Library
  client: Tablestore.Client
}

export interface Connection {
  open(): Promise<LoadedClient>
  /** Closes all connections; the next call opens new ones. */
  close(): void
}

/** Maximum silence of a connection that waits for a response. */
export const socketTimeoutMs = deadlines.store.idleSeconds * 1000
const maxSockets = 32

export function createConnection({ endpoint, instance, key, proxies }: ConnectionOptions): Connection {
  let opened: Promise<LoadedClient> | undefined
  let agent: Agent | undefined

  async function open(): Promise<LoadedClient> {
    const lib = await load()
    const { hostname } = new URL(endpoint)
    agent = agentFor(endpoint, proxies, { keepAlive: true, maxSockets })
    const { accessKeyId, accessKeySecret, securityToken } = key
    // Not inline: the types of the library lack `agent`.
    const httpOptions = { timeout: socketTimeoutMs, maxSockets, agent }
    const client = new lib.Client({
      accessKeyId,
      secretAccessKey: accessKeySecret,
      ...(securityToken && { securityToken }),
      endpoint,
      instancename: instance ?? hostname.split('.')[0]!,
      maxRetries: 0,
      httpOptions,
    })
    return { lib, client }
  }

  return {
    open() {
      opened ??= open()
      opened.catch(() => {
        opened = undefined
      })
      return opened
    },
    close() {
      agent?.destroy()
      opened = undefined
    },
  }
}

async function load(): Promise<Library> {
  try {
    return ((await import('tablestore')) as unknown as { default: Library }).default
  } catch (cause) {
    throw new SpeechError('STORE_FAILED', 'The client library of Tablestore is not installed.', {
      hint: 'Reinstall speech-mcp, or unset TABLESTORE_ENDPOINT to keep transcripts on this machine.',
      cause,
    })
  }
}
