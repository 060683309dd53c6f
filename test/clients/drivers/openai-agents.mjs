// OpenAI's Agents SDK: its connection to a server, with the tools that it would give to a model.
import { MCPServerStdio, MCPServerStreamableHttp } from '@openai/agents'
import { answerOf, runScenarios } from './scenarios.mjs'

await runScenarios(
  async target => {
    const options = { cacheToolsList: false, clientSessionTimeoutSeconds: 55, timeout: 55_000 }
    const server =
      target.kind === 'stdio'
        ? new MCPServerStdio({ ...target, ...options })
        : new MCPServerStreamableHttp({ url: target.url, ...options })
    await server.connect()
    return {
      tools: async () => (await server.listTools()).map(({ name }) => name),
      call: async (name, args, { signal } = {}) =>
        answerOf(await server.callToolResult(name, args, null, signal ? { signal } : {})),
      resources: async () => (await server.listResources()).resources.map(({ uri }) => uri),
      read: async uri => (await server.readResource(uri)).contents[0].text,
      close: () => server.close(),
    }
  },
  { progress: false },
)
