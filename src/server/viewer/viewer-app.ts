// The viewer as an MCP App: its page and its data as resources, and its tool for the clients that can show it.
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  isJSONRPCRequest,
  type McpServer,
  type RegisteredTool,
  ResourceTemplate,
} from '@modelcontextprotocol/server'
import type { Jobs } from '../../jobs/jobs.ts'
import { throwProtocolError } from '../resources.ts'

export const viewerUri = 'ui://speech/viewer'
/** https://github.com/modelcontextprotocol/ext-apps */
export const appsExtension = 'io.modelcontextprotocol/ui'
const pageMime = 'text/html;profile=mcp-app'
/** The page asks no other origin for anything. */
const pageMeta = { ui: { csp: {}, prefersBorder: true } }

export function registerViewer(server: McpServer, jobs: Jobs, owner: string): void {
  server.registerResource(
    'viewer',
    viewerUri,
    { title: 'Transcript viewer', mimeType: pageMime },
    async uri => {
      const { loadViewerPage } = await import('../../viewer/html.ts')
      const { html } = await loadViewerPage()
      return { contents: [{ uri: uri.href, mimeType: pageMime, text: html, _meta: pageMeta }] }
    },
  )
  server.registerResource(
    'viewer-data',
    new ResourceTemplate(`${viewerUri}/{id}`, { list: undefined }),
    { title: 'Transcript for the viewer', mimeType: 'application/json' },
    async (uri, { id }) => {
      const transcript = await jobs.read(owner, String(id)).catch(throwProtocolError(jobs))
      const { viewerData } = await import('../../viewer/data.ts')
      const text = JSON.stringify(await viewerData(transcript, []))
      return { contents: [{ uri: uri.href, mimeType: 'application/json', text }] }
    },
  )
}

/** Lists the tool, and takes calls of it, only for clients that can show apps. Takes effect when the server connects. */
export function forApps(server: McpServer, tool: RegisteredTool): void {
  /** Clients of the later protocol say so with each request. */
  let isDeclared = false
  Object.defineProperty(tool, 'enabled', {
    get: () => isDeclared || showsApps(server.server.getClientCapabilities()),
  })
  const connect = server.connect.bind(server)
  server.connect = async transport => {
    await connect(transport)
    const { onmessage } = transport
    transport.onmessage = (message, extra) => {
      const meta = isJSONRPCRequest(message) ? message.params?._meta : undefined
      isDeclared ||= showsApps(meta?.[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined)
      onmessage?.(message, extra)
    }
  }
}

function showsApps(capabilities: ClientCapabilities | undefined): boolean {
  const declared = capabilities?.extensions?.[appsExtension] as { mimeTypes?: unknown } | undefined
  if (declared === undefined) return false
  return !Array.isArray(declared.mimeTypes) || declared.mimeTypes.includes(pageMime)
}
