// The suite's tools that only return content, with progress and messages on the way.
import { setTimeout as pause } from 'node:timers/promises'
import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server'
import * as z from 'zod/v4'
import { image, text, wav } from './content.ts'

const stepMs = 50

export function registerTools(server: McpServer): void {
  const simple = (name: string, content: () => object[]) =>
    server.registerTool(name, { description: 'Returns fixed content' }, () => ({
      content: content() as ReturnType<typeof text>[],
    }))
  simple('test_simple_text', () => [text('This is a simple text response for testing.')])
  simple('test_image_content', () => [image])
  simple('test_audio_content', () => [{ type: 'audio', data: wav, mimeType: 'audio/wav' }])
  simple('test_embedded_resource', () => [
    embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'),
  ])
  simple('test_multiple_content_types', () => [
    text('Multiple content types test:'),
    image,
    embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  ])
  simple('test_error_handling', () => {
    throw new Error('This tool intentionally returns an error for testing')
  })

  server.registerTool('test_tool_with_progress', { description: 'Reports progress' }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 100 },
        })
      await pause(stepMs)
    }
    return { content: [text('Progress was reported.')] }
  })
  server.registerTool('test_tool_with_logging', { description: 'Sends messages' }, async ({ mcpReq }) => {
    for (const message of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await mcpReq.log('info', message)
      await pause(stepMs)
    }
    return { content: [text('Three messages were sent.')] }
  })
  server.registerTool('test_logging_tool', { description: 'Sends a message' }, async ({ mcpReq }) => {
    await mcpReq.log('info', 'For those who asked for messages')
    return { content: [text('One message was sent, where it was asked for.')] }
  })
  server.registerTool('test_reconnection', { description: 'Closes its stream' }, async ({ http }) => {
    await pause(stepMs)
    http?.closeSSE?.()
    await pause(stepMs)
    return { content: [text('The client has connected again.')] }
  })

  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Has an input schema of many keywords', inputSchema: fromJsonSchema(keywords) },
    () => ({ content: [text('The arguments fit.')] }),
  )
  server.registerTool(
    'test_custom_headers',
    {
      description: 'Takes an argument that a header repeats',
      inputSchema: z.object({ region: z.string().optional().meta({ 'x-mcp-header': 'Region' }) }),
    },
    ({ region }) => ({ content: [text(`The region is ${region}.`)] }),
  )
}

const embedded = (uri: string, mimeType: string, text: string) => ({
  type: 'resource',
  resource: { uri, mimeType, text },
})

const keywords = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object' as const,
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
}
