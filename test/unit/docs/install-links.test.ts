// The links of the README that install the server with one click.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
const { name } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
const command = { command: 'npx', args: ['-y', name] }

function linkOf(client: string): URL {
  return new URL(new RegExp(`\\[${client}\\]\\((https:[^)]+)\\)`).exec(readme)![1]!)
}

it('the link for Cursor starts the package', () => {
  const { host, pathname, searchParams } = linkOf('Cursor')
  expect([host, pathname, searchParams.get('name')]).toEqual(['cursor.com', '/en/install-mcp', 'speech'])
  const config = JSON.parse(Buffer.from(searchParams.get('config')!, 'base64').toString())
  expect(config).toEqual({ ...command, env: { DASHSCOPE_API_KEY: 'your-key' } })
})

it('the link for VS Code starts the package, and asks for the key without showing it', () => {
  const { host, pathname, searchParams } = linkOf('VS Code')
  expect([host, pathname, searchParams.get('name')]).toEqual([
    'vscode.dev',
    '/redirect/mcp/install',
    'speech',
  ])
  const [input] = JSON.parse(searchParams.get('inputs')!)
  expect(input).toMatchObject({ type: 'promptString', password: true })
  const config = JSON.parse(searchParams.get('config')!)
  const env = { DASHSCOPE_API_KEY: `\${input:${input.id}}` }
  expect(config).toEqual({ type: 'stdio', ...command, env })
})
