// A server that opens its store, and so libsql's native part.
import { join } from 'node:path'
import { listTools } from '../list-tools.mjs'

/** The tools that it lists. Throws if the store does not open. `folder` takes the store. */
export async function listToolsAndSearch(entry, folder, { args = [], env = {} } = {}) {
  let found
  const tools = await listTools(entry, folder, {
    args,
    env: { ...env, HOME: folder, PATH: '', SPEECH_DATA_DIR: join(folder, 'data') },
    use: async client => {
      found = await client.callTool({ name: 'search_transcripts', arguments: { query: 'none' } })
    },
  })
  if (found.isError) throw new Error(`The store does not open: ${JSON.stringify(found.content)}`)
  return tools
}
