// The MCP clients of today and tomorrow, over stdio, behind one face.
import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { entry } from './system.ts'

export interface ProgressUpdate {
  progress: number
  total?: number
  message?: string
}

export interface AnyClient {
  /** Process id of the server. */
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
  readResource(uri: string): Promise<{ uri: string; mimeType?: string; text?: string }[]>
  complete(uriTemplate: string, name: string, value: string): Promise<string[]>
  close(): Promise<void>
}

const info = { name: 'test', version: '1' }
const wait = { timeout: 60_000 }

async function connectV1(env: Record<string, string>): Promise<AnyClient> {
  const transport = new StdioV1({ command: process.execPath, args: [entry], env })
  const client = new ClientV1(info)
  await client.connect(transport)
  const call: AnyClient['call'] = (name, args, options) =>
    client.callTool({ name, arguments: args }, undefined, { ...wait, ...options } as never)
  return face(client, transport, call)
}

type Mode = 'legacy' | 'auto' | { pin: string }

async function connectV2(env: Record<string, string>, mode: Mode): Promise<AnyClient> {
  const transport = new StdioV2({ command: process.execPath, args: [entry], env })
  const client = new ClientV2(info, { versionNegotiation: { mode } })
  await client.connect(transport)
  const call: AnyClient['call'] = (name, args, options) =>
    client.callTool({ name, arguments: args }, { ...wait, ...options } as never)
  return face(client, transport, call)
}

/** What both generations do in the same way. */
function face(client: ClientV1 | ClientV2, transport: StdioV1 | StdioV2, call: AnyClient['call']): AnyClient {
  const either = client as ClientV1
  return {
    pid: () => transport.pid!,
    call,
    listTools: () => either.listTools(),
    listResources: cursor => either.listResources(cursor === undefined ? {} : { cursor }) as never,
    readResource: async uri => (await either.readResource({ uri })).contents as never,
    complete: async (uri, name, value) =>
      (await either.complete({ ref: { type: 'ref/resource', uri }, argument: { name, value } })).completion
        .values,
    close: () => either.close(),
  }
}

export const clients: [name: string, connect: (env: Record<string, string>) => Promise<AnyClient>][] = [
  ['SDK v1 (2025-11-25)', connectV1],
  ['SDK v2, legacy', env => connectV2(env, 'legacy')],
  ['SDK v2, auto', env => connectV2(env, 'auto')],
  ['SDK v2, pinned to 2026-07-28', env => connectV2(env, { pin: '2026-07-28' })],
]
