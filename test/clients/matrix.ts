// The clients of the matrix: packages with their versions, the script that drives each, and how it reaches the server.
import { join } from 'node:path'
import { laterNode, pinnedPackages } from '../support/pinned-packages.ts'
import { startBridge } from './bridge.ts'
import type { Subject, Target } from './server.ts'

export interface MatrixClient {
  /** As the table shows it. */
  name: string
  transport: 'stdio' | 'HTTP'
  /** Name of its folder. */
  folder: string
  packages: Record<string, string>
  /** In `drivers/`. */
  driver: string
  needsLaterNode?: boolean
  env?: Record<string, string>
  /** The bridge does not outlive the server, and is started again with it. */
  bridgeDies?: boolean
  /** Puts a program between the client and the server. */
  bridge?(subject: Subject, port: number): Promise<Target>
}

const sdk1 = (version: string) => ({ '@modelcontextprotocol/sdk': version })
const sdkOf = (name: string, version: string) => ({
  name,
  folder: `sdk-${version}`,
  packages: sdk1(version),
  driver: 'sdk-1.mjs',
})
const bridged = (name: string, packages: Record<string, string>) => ({
  ...sdkOf(name, '1.32.2'),
  folder: Object.keys(packages)[0]!,
  packages: { ...sdk1('1.32.2'), ...packages },
})

const both = <Client extends object>(client: Client) =>
  (['stdio', 'HTTP'] as const).map(transport => ({ ...client, transport }))

export const matrix: MatrixClient[] = [
  ...both(sdkOf('SDK 1.10.2', '1.10.2')),
  ...both(sdkOf('SDK 1.17.5', '1.17.5')),
  ...both(sdkOf('SDK 1.32.2', '1.32.2')),
  ...both({ ...sdk2('legacy'), name: 'SDK 2.4.0, protocol 2025-11-25' }),
  ...both({ ...sdk2('modern'), name: 'SDK 2.4.0, protocol 2026-07-28' }),
  ...both(inspector('0.16.8', '@modelcontextprotocol/inspector/cli/build/cli.js')),
  ...both(inspector('1.0.3', '@modelcontextprotocol/inspector/cli/build/cli.js')),
  ...both(inspector('2.12.0', '.bin/mcp-inspector', true)),
  ...both({
    ...library('AI SDK', '@ai-sdk/mcp', '2.0.99'),
    driver: 'ai-sdk.mjs',
    needsLaterNode: true,
  }),
  ...both({
    ...library('Mastra', '@mastra/mcp', '2.0.0', { '@mastra/core': '1.71.0' }),
    driver: 'mastra.mjs',
    needsLaterNode: true,
  }),
  ...both({
    ...library('LangChain', '@langchain/mcp-adapters', '1.1.4', { '@langchain/core': '1.4.0' }),
    driver: 'langchain.mjs',
  }),
  ...both({
    ...library('OpenAI Agents', '@openai/agents', '0.20.0', { zod: '4.6.7' }),
    driver: 'openai-agents.mjs',
    needsLaterNode: true,
  }),
  ...claudeCode('2.1.108', '@anthropic-ai/claude-code/cli.js'),
  ...claudeCode('2.1.332', '@anthropic-ai/claude-code-linux-x64/claude'),
  {
    ...bridged('mcp-remote 0.15.1', { 'mcp-remote': '0.15.1' }),
    transport: 'HTTP',
    async bridge(subject) {
      const { url } = await subject.http()
      const script = join(packagesOf('mcp-remote'), 'mcp-remote/dist/proxy.js')
      return { ...subject.stdio, args: [script, url, '--allow-http', '--transport', 'http-only'] }
    },
  },
  {
    ...bridged('mcp-proxy 6.7.19', { 'mcp-proxy': '6.7.19' }),
    transport: 'stdio',
    bridgeDies: true,
    bridge: (subject, port) =>
      overHttp(subject, port, 'mcp-proxy', 'mcp-proxy/dist/bin/mcp-proxy.mjs', [
        '--port',
        String(port),
        '--server',
        'stream',
        '--',
        subject.stdio.command,
        ...subject.stdio.args,
      ]),
  },
  {
    ...bridged('supergateway 4.0.0', { supergateway: '4.0.0' }),
    transport: 'stdio',
    bridge: (subject, port) =>
      overHttp(subject, port, 'supergateway', 'supergateway/dist/index.js', [
        '--stdio',
        [subject.stdio.command, ...subject.stdio.args].map(part => `'${part}'`).join(' '),
        '--outputTransport',
        'streamableHttp',
        '--stateful',
        '--port',
        String(port),
      ]),
  },
]

function inspector(version: string, script: string, needsLaterNode = false) {
  return {
    ...library('Inspector', '@modelcontextprotocol/inspector', version),
    driver: 'inspector.mjs',
    needsLaterNode,
    env: { MATRIX_SCRIPT: script },
  }
}

/** The second one is a program for each system; this run takes that for Linux on x64. */
function claudeCode(version: string, script: string) {
  return both({
    ...library('Claude Code', '@anthropic-ai/claude-code', version),
    driver: 'claude-code.mjs',
    env: { MATRIX_SCRIPT: script },
  })
}

function library(name: string, main: string, version: string, others: Record<string, string> = {}) {
  const folder = `${name.toLowerCase().replaceAll(' ', '-')}-${version}`
  return { name: `${name} ${version}`, folder, packages: { [main]: version, ...others } }
}

function sdk2(era: 'legacy' | 'modern') {
  const packages = { '@modelcontextprotocol/client': '2.4.0' }
  return { folder: 'sdk-2.4.0', packages, driver: 'sdk-2.mjs', env: { MATRIX_ERA: era } }
}

/** The installed packages of a client. */
function packagesOf(folder: string): string {
  return join(pinnedPackages(folder, clientOf(folder).packages), 'node_modules')
}

const clientOf = (folder: string) => matrix.find(one => one.folder === folder)!

async function overHttp(
  subject: Subject,
  port: number,
  folder: string,
  script: string,
  args: string[],
): Promise<Target> {
  const command = [laterNode(), join(packagesOf(folder), script), ...args]
  const { bridgeDies: dies = false } = clientOf(folder)
  subject.addBridge(await startBridge(command, subject.stdio.env, { port, dies }))
  return { kind: 'http', url: `http://127.0.0.1:${port}/mcp` }
}
