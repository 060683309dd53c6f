// The client library of Tablestore: loaded on first use, with one client and its own connections.
import { Agent as PlainAgent } from 'node:http'
import { Agent } from 'node:https'
import type Tablestore from 'tablestore'
import { SpeechError } from '../../../domain/errors.ts'
import type { TablestoreOptions } from './options.ts'

export type Library = typeof Tablestore

export interface Loaded {
  lib: Library
  client: Tablestore.Client
}

export interface Connection {
  open(): Promise<Loaded>
  /** Ends all connections; the next call opens new ones. */
  close(): void
}

/** Milliseconds that a connection may be silent while an answer is waited for. */
export const silence = 5_000
const sockets = 32

export function createConnection({ endpoint, instance, key }: TablestoreOptions): Connection {
  let opened: Promise<Loaded> | undefined
  let agent: Agent | PlainAgent | undefined

  async function open(): Promise<Loaded> {
    const lib = await load()
    const { protocol, hostname } = new URL(endpoint)
    agent = new (protocol === 'https:' ? Agent : PlainAgent)({ keepAlive: true, maxSockets: sockets })
    const { accessKeyId, accessKeySecret, securityToken } = key
    const httpOptions = { timeout: silence, maxSockets: sockets, agent }
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
      hint: 'Install speech-mcp anew, or unset TABLESTORE_ENDPOINT to keep transcripts on this machine.',
      cause,
    })
  }
}
