// The suite's resources, and the subscriptions of a session.
import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import { png } from './content.ts'

export function registerResources(server: McpServer): void {
  const fixed = (name: string, mimeType: string, content: { text: string } | { blob: string }) =>
    server.registerResource(
      name,
      `test://${name}`,
      { description: 'Never changes', mimeType },
      ({ href }) => ({
        contents: [{ uri: href, mimeType, ...content }],
      }),
    )
  fixed('static-text', 'text/plain', { text: 'This is the content of the static text resource.' })
  fixed('static-binary', 'image/png', { blob: png })
  fixed('watched-resource', 'text/plain', { text: 'This is the content of the watched resource.' })
  const mimeType = 'application/json'
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'Holds its own id', mimeType },
    ({ href }, { id }) => {
      const data = { id, templateTest: true, data: `Data for ID: ${id}` }
      return { contents: [{ uri: href, mimeType, text: JSON.stringify(data) }] }
    },
  )
}

export function registerSubscriptions({ server }: McpServer): void {
  const subscribed = new Set<string>()
  server.setRequestHandler('resources/subscribe', ({ params: { uri } }) => {
    subscribed.add(uri)
    return {}
  })
  server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    subscribed.delete(uri)
    return {}
  })
}
