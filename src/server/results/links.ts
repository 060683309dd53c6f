// Links from a result to the transcript and its files as resources, and kinds of content that a client knows.
import type { McpServer, ResourceLink, ServerContext } from '@modelcontextprotocol/server'
import { type FormatName, outputFormats } from '../../formats/index.ts'
import { transcriptUri } from '../uris.ts'

/** To the readable transcript, or to one of its files. */
export function resourceLink(
  { id, title }: { id: string; title: string },
  format?: FormatName,
): ResourceLink {
  const uri = transcriptUri(id)
  return format === undefined
    ? { type: 'resource_link', uri, name: id, title, mimeType: 'text/plain' }
    : {
        type: 'resource_link',
        uri: `${uri}/${format}`,
        name: id,
        title,
        mimeType: outputFormats[format].mimeType,
      }
}

/** Links came with 2025-06-18: the clients before it reject a result with a kind of content that they do not know. */
export function takesLinks(server: McpServer, context: ServerContext): boolean {
  return versionOf(server, context) >= '2025-06-18'
}

/** Sound came with 2025-03-26. */
export function takesSound(server: McpServer, context: ServerContext): boolean {
  return versionOf(server, context) >= '2025-03-26'
}

function versionOf({ server }: McpServer, { http }: ServerContext): string {
  return server.getNegotiatedProtocolVersion() ?? http?.req?.headers.get('mcp-protocol-version') ?? ''
}
