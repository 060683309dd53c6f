// MCP clients of all SDK generations, over stdio and HTTP, behind one interface.
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { entry } from './system.ts'

export interface ProgressUpdate {
  progress: number
  total?: number
  message?: string
}

export interface McpTestClient {
  /** Process id of the server, which the client started over stdio. */
  pid(): number
  listTools(): Promise<{ tools: { name: string }[] }>
  call(
    name: string,
    args: Record<string, unknown>,
    options?: { signal?: AbortSignal; onprogress?: (update: ProgressUpdate) => void },
    // biome-ignore lint/suspicious/noExplicitAny: tests look into results freely
  ): Promise<any>
  listResources(
    cursor?: string,
  ): Promise<{ resources: { uri: string; title?: string }[]; nextCursor?: string }>
  readResource(uri: string): Promise<{ uri: string; mimeType?: string; text?: string; blob?: string }[]>
  complete(uriTemplate: string, name: string, value: string): Promise<string[]>
  /** Calls back whenever the resource changes; returns a function that unsubscribes. */
  subscribe(uri: string, onUpdated: () => void): Promise<() => Promise<void>>
  /** Calls back whenever the list of resources changes; returns a function that unsubscribes. */
  onListChanged(listener: () => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

const info = { name: 'test', version: '1' }
const wait = { timeout: 60_000 }

export interface HttpAccess {
  url: string
  token?: string
}

/** A server to start over stdio, or the address of a running one. */
type Target = { env: Record<string, string> } | HttpAccess

async function connectV1(target: Target): Promise<McpTestClient> {
  const transport =
    'env' in target
      ? new StdioV1({ command: process.execPath, args: [entry], env: target.env })
      : new HttpV1(new URL(target.url), { requestInit: { headers: headersOf(target) } })
  const client = new ClientV1(info)
  await client.connect(transport as Transport)
  const call: McpTestClient['call'] = (name, args, options) =>
    client.callTool({ name, arguments: args }, undefined, { ...wait, ...options } as never)
  const listeners: Listeners = { updated: new Set(), listChanged: new Set() }
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) =>
    notify(listeners, params.uri),
  )
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => notify(listeners))
  return toTestClient(client, transport, { call, ...inSession(client, listeners) })
}

type Mode = 'legacy' | 'auto' | { pin: string }

async function connectV2(target: Target, mode: Mode): Promise<McpTestClient> {
  const transport =
    'env' in target
      ? new StdioV2({ command: process.execPath, args: [entry], env: target.env })
      : new HttpV2(new URL(target.url), { requestInit: { headers: headersOf(target) } })
  const client = new ClientV2(info, { versionNegotiation: { mode } })
  await client.connect(transport)
  const call: McpTestClient['call'] = (name, args, options) =>
    client.callTool({ name, arguments: args }, { ...wait, ...options } as never)
  const listeners: Listeners = { updated: new Set(), listChanged: new Set() }
  client.setNotificationHandler('notifications/resources/updated', ({ params }) =>
    notify(listeners, params.uri),
  )
  client.setNotificationHandler('notifications/resources/list_changed', () => notify(listeners))
  const subscriptions =
    mode === 'legacy' ? inSession(client as never, listeners) : byListening(client, listeners)
  return toTestClient(client, transport, { call, ...subscriptions })
}

function headersOf({ token }: HttpAccess): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** Listeners for notifications; a client has one handler for each kind. */
interface Listeners {
  updated: Set<(uri: string) => void>
  listChanged: Set<() => void>
}

function notify({ updated, listChanged }: Listeners, uri?: string): void {
  if (uri === undefined) for (const listener of listChanged) listener()
  else for (const listener of updated) listener(uri)
}

type Subscriptions = Pick<McpTestClient, 'subscribe' | 'onListChanged'>

function addListener({ updated }: Listeners, uri: string, onUpdated: () => void): () => void {
  const listener = (changed: string) => {
    if (changed === uri) onUpdated()
  }
  updated.add(listener)
  return () => updated.delete(listener)
}

/** 2025: a session subscribes to URIs, and always gets notifications about the list. */
function inSession(client: ClientV1, listeners: Listeners): Subscriptions {
  return {
    async subscribe(uri, onUpdated) {
      const end = addListener(listeners, uri, onUpdated)
      await client.subscribeResource({ uri })
      return async () => {
        end()
        await client.unsubscribeResource({ uri })
      }
    },
    async onListChanged(listener) {
      listeners.listChanged.add(listener)
      return async () => void listeners.listChanged.delete(listener)
    },
  }
}

/** 2026: notifications arrive as the response stream of a listen request. */
function byListening(client: ClientV2, listeners: Listeners): Subscriptions {
  return {
    async subscribe(uri, onUpdated) {
      const end = addListener(listeners, uri, onUpdated)
      const listening = await client.listen({ resourceSubscriptions: [uri] })
      return async () => {
        end()
        await listening.close()
      }
    },
    async onListChanged(listener) {
      listeners.listChanged.add(listener)
      const listening = await client.listen({ resourcesListChanged: true })
      return async () => {
        listeners.listChanged.delete(listener)
        await listening.close()
      }
    },
  }
}

/** The methods that both generations share. */
function toTestClient(
  client: ClientV1 | ClientV2,
  transport: StdioV1 | StdioV2 | HttpV1 | HttpV2,
  own: Pick<McpTestClient, 'call'> & Subscriptions,
): McpTestClient {
  const either = client as ClientV1
  return {
    ...own,
    pid: () => (transport as StdioV1).pid!,
    listTools: () => either.listTools(),
    listResources: cursor => either.listResources(cursor === undefined ? {} : { cursor }) as never,
    readResource: async uri => (await either.readResource({ uri })).contents as never,
    complete: async (uri, name, value) =>
      (await either.complete({ ref: { type: 'ref/resource', uri }, argument: { name, value } })).completion
        .values,
    close: () => either.close(),
  }
}

const kinds: [name: string, connect: (target: Target) => Promise<McpTestClient>][] = [
  ['SDK v1 (2025-11-25)', connectV1],
  ['SDK v2, legacy', target => connectV2(target, 'legacy')],
  ['SDK v2, auto', target => connectV2(target, 'auto')],
  ['SDK v2, pinned to 2026-07-28', target => connectV2(target, { pin: '2026-07-28' })],
]

/** Clients that start the server with an environment. */
export const clients = kinds.map(
  ([name, connect]): [name: string, connect: (env: Record<string, string>) => Promise<McpTestClient>] => [
    name,
    env => connect({ env }),
  ],
)

/** Clients that connect to a running server. */
export const httpClients: [name: string, connectHttp: (access: HttpAccess) => Promise<McpTestClient>][] =
  kinds
