// The TypeScript SDK, versions 2.x, in the era that the environment names.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { answerOf, isReadTogether, runScenarios } from './scenarios.mjs'

const versionNegotiation =
  process.env.MATRIX_ERA === 'modern' ? { mode: { pin: '2026-07-28' } } : { mode: 'legacy' }
const requestOptions = { timeout: 55_000, resetTimeoutOnProgress: true }

await runScenarios(async (target, onProblem) => {
  const client = new Client({ name: 'matrix', version: '1' }, { capabilities: {}, versionNegotiation })
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
        await client.callTool(
          { name, arguments: args },
          { ...requestOptions, ...(signal && { signal }), ...(onProgress && { onprogress: onProgress }) },
        ),
      ),
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    read: async uri => (await client.readResource({ uri })).contents[0].text,
    close: () => client.close(),
  }
})
