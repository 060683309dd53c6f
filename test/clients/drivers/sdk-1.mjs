// The TypeScript SDK, versions 1.x.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { answerOf, isReadTogether, runScenarios } from './scenarios.mjs'

const requestOptions = { timeout: 55_000, resetTimeoutOnProgress: true }

await runScenarios(async (target, onProblem) => {
  const client = new Client({ name: 'matrix', version: '1' }, { capabilities: {} })
  client.onerror = error => isReadTogether(error) || onProblem(error)
  await client.connect(
    target.kind === 'stdio'
      ? new StdioClientTransport({ ...target, stderr: 'inherit' })
      : new StreamableHTTPClientTransport(new URL(target.url)),
  )
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args, { signal, onProgress } = {}) =>
      answerOf(
        await client.callTool({ name, arguments: args }, undefined, {
          ...requestOptions,
          ...(signal && { signal }),
          ...(onProgress && { onprogress: onProgress }),
        }),
      ),
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    read: async uri => (await client.readResource({ uri })).contents[0].text,
    close: () => client.close(),
  }
})
