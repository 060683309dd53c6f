// Mastra: calls go through the tools that it would give to a model.
import { MCPClient } from '@mastra/mcp'
import { answerOf, runScenarios } from './scenarios.mjs'

let count = 0

await runScenarios(async (target, onProblem) => {
  let onProgress
  const server = target.kind === 'stdio' ? target : { url: new URL(target.url) }
  const client = new MCPClient({
    id: `matrix-${count++}`,
    servers: { speech: { ...server, timeout: 55_000, enableProgressTracking: true } },
  })
  const { errors, tools } = await client.listToolsWithErrors()
  for (const error of Object.values(errors)) onProblem(error)
  await client.progress.onUpdate('speech', () => onProgress?.())
  return {
    async tools() {
      const { tools, errors } = await client.listToolsWithErrors()
      if (Object.keys(errors).length > 0) throw new Error(JSON.stringify(errors))
      return Object.keys(tools).map(name => name.replace('speech_', ''))
    },
    async call(name, args, options = {}) {
      const tool = tools[`speech_${name}`]
      if (!tool) throw new Error(`${name} not found`)
      onProgress = options.onProgress
      try {
        const result = await tool.execute(args, { abortSignal: options.signal })
        return 'content' in result
          ? answerOf(result)
          : { isError: result.error === true, text: JSON.stringify(result) }
      } catch (error) {
        // It throws where others return the result of a failed call.
        return { isError: true, text: String(error?.message ?? error) }
      }
    },
    async resources() {
      return ((await client.resources.list()).speech ?? []).map(({ uri }) => uri)
    },
    read: async uri => (await client.resources.read('speech', uri)).contents[0].text,
    close: () => client.disconnect(),
  }
})
