// Starts a server over stdio with a real client, lists its tools and may call one.
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const deadlineMs = 30_000

/** Resolves with the server's tools. `use`: called with the connected client before that. */
export async function listTools(entry, cwd, { args = [], env, use = async () => {} } = {}) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [entry, ...args],
    cwd,
    ...(env && { env }),
    stderr: 'inherit',
  })
  const client = new Client({ name: 'package', version: '1' })
  const timer = setTimeout(() => void client.close(), deadlineMs)
  try {
    await client.connect(transport)
    await use(client)
    return (await client.listTools()).tools
  } finally {
    clearTimeout(timer)
    await client.close()
  }
}
