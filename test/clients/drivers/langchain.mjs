// LangChain's adapters: calls go through the tools that it would give to a model.
import { MultiServerMCPClient } from '@langchain/mcp-adapters'
import { runScenarios } from './scenarios.mjs'

await runScenarios(async target => {
  let onProgress
  const server =
    target.kind === 'stdio' ? { transport: 'stdio', ...target } : { transport: 'http', url: target.url }
  const client = new MultiServerMCPClient({
    mcpServers: { speech: { ...server, defaultToolTimeout: 55_000 } },
    useStandardContentBlocks: true,
    onProgress: () => onProgress?.(),
  })
  const tools = new Map((await client.getTools()).map(tool => [tool.name, tool]))
  return {
    tools: async () => (await (await client.getClient('speech')).listTools()).tools.map(({ name }) => name),
    async call(name, args, options = {}) {
      const tool = tools.get(name)
      if (!tool) throw new Error(`${name} not found`)
      onProgress = options.onProgress
      try {
        const content = await tool.invoke(args, { signal: options.signal })
        return { isError: false, text: typeof content === 'string' ? content : JSON.stringify(content) }
      } catch (error) {
        return { isError: true, text: error.message }
      }
    },
    resources: async () => (await client.listResources('speech')).speech.map(({ uri }) => uri),
    read: async uri => (await client.readResource('speech', uri))[0].text,
    close: () => client.close(),
  }
})
