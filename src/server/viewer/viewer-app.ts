// The viewer as an MCP App: its page and its data as resources, and its tool for the clients that can show it.
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  isJSONRPCRequest,
  type McpServer,
  type RegisteredTool,
  ResourceTemplate,
} from '@modelcontextprotocol/server'
import { formatNames } from '../../formats/index.ts'
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
  /** Told about one transcript, at an address of its own. */
  function register(name: string, path: string, title: string, mimeType: string, tell: Tell): void {
    server.registerResource(
      name,
      new ResourceTemplate(`${viewerUri}/{id}${path}`, { list: undefined }),
      { title, mimeType },
      async (uri, { id }) => {
        const text = await tell(String(id)).catch(throwProtocolError(jobs))
        return { contents: [{ uri: uri.href, mimeType, text }] }
      },
    )
  }

  const json = 'application/json'
  register('viewer-data', '', 'Transcript for the viewer', json, async id => {
    const [transcript, { viewerData }] = await Promise.all([jobs.read(owner, id), loadData()])
    return JSON.stringify(await viewerData(transcript, formatNames))
  })
  register('viewer-revision', '/revision', 'Version of that transcript', 'text/plain', async id => {
    const [transcript, { revisionOf }] = await Promise.all([jobs.read(owner, id), loadData()])
    return revisionOf(transcript)
  })
  register('viewer-waveform', '/waveform', 'Peaks of its recording', json, async id =>
    JSON.stringify(await jobs.waveform(owner, id)),
  )
}

type Tell = (id: string) => Promise<string>

const loadData = () => import('../../viewer/data.ts')

/** The returned function says whether the client shows apps, once the server is connected. */
export function appSupport(server: McpServer): () => boolean {
  /** Clients of the later protocol say so with each request. */
  let isDeclared = false
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
  return () => isDeclared || showsApps(server.server.getClientCapabilities())
}

/** Lists the tool, and takes calls of it, only for clients that can show apps. */
export function forApps(tool: RegisteredTool, isShown: () => boolean): void {
  Object.defineProperty(tool, 'enabled', { get: isShown })
}

/** Tells clients that show apps that the page may call the tool, too. */
export function callableByApps(tool: RegisteredTool, isShown: () => boolean): void {
  const meta = { ui: { visibility: ['model', 'app'] } }
  Object.defineProperty(tool, '_meta', { get: () => (isShown() ? meta : undefined) })
}

function showsApps(capabilities: ClientCapabilities | undefined): boolean {
  const declared = capabilities?.extensions?.[appsExtension] as { mimeTypes?: unknown } | undefined
  if (declared === undefined) return false
  return !Array.isArray(declared.mimeTypes) || declared.mimeTypes.includes(pageMime)
}
