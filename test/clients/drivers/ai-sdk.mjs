// Vercel's AI SDK: calls go through the tools that it would give to a model.
import { createMCPClient } from '@ai-sdk/mcp'
import { Experimental_StdioMCPTransport as StdioTransport } from '@ai-sdk/mcp/mcp-stdio'
import { answerOf, runScenarios } from './scenarios.mjs'

await runScenarios(
  async (target, onProblem) => {
    const client = await createMCPClient({
      transport:
        target.kind === 'stdio'
          ? new StdioTransport(target)
          : // With its own setting, `error`, Node forgets by and by to close an aborted call.
            { type: 'http', url: target.url, redirect: 'follow' },
      onUncaughtError: onProblem,
    })
    const tools = await client.tools()
    return {
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      async call(name, args, { signal } = {}) {
        const options = { toolCallId: 'call', messages: [], abortSignal: signal }
        if (!tools[name]) return answerOf(await client.callTool({ name, arguments: args }))
        return answerOf(await tools[name].execute(args, options))
      },
      resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
      read: async uri => (await client.readResource({ uri })).contents[0].text,
      close: () => client.close(),
    }
  },
  // Over HTTP it closes the call, over stdio it sends nothing.
  target => ({
    progress: false,
    cancel: target.kind === 'http' ? "yes, with `redirect: 'follow'`" : 'unsent',
  }),
)
