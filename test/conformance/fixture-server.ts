// The suite's own tools, prompts and resources behind the HTTP stack of the product.
import { McpServer } from '@modelcontextprotocol/server'
import type { Connection } from '../../src/server/connection.ts'
import { type RunningHttpServer, serveHttp } from '../../src/server/http/http.ts'
import { correctErrors } from '../../src/server/json-rpc/correct-errors.ts'
import { fakeJobs } from '../support/jobs/fake-jobs.ts'
import { registerPrompts } from './prompts.ts'
import { registerQuestions } from './questions.ts'
import { registerResources, registerSubscriptions } from './resources.ts'
import { registerRounds, state } from './rounds.ts'
import { registerTasks, serveTasks } from './tasks.ts'
import { registerTools } from './tools.ts'

export function serveFixtures(): Promise<RunningHttpServer> {
  return serveHttp(
    { jobs: fakeJobs(), version: '0', waitSeconds: 1 },
    { host: '127.0.0.1', port: 0, tokens: [], serverOf: createFixtureServer },
  )
}

function createFixtureServer(connection: Connection): McpServer {
  const subscribe = connection.push || connection.era === 'modern'
  const server = new McpServer(
    { name: 'conformance-fixtures', version: '0' },
    {
      // Its tools and prompts never change, like those of the product.
      capabilities: {
        logging: {},
        completions: {},
        tools: { listChanged: false },
        prompts: { listChanged: false },
        resources: { subscribe, listChanged: subscribe },
      },
      requestState: { verify: state.verify },
    },
  )
  registerTools(server)
  registerQuestions(server)
  registerRounds(server)
  registerTasks(server)
  if (connection.era === 'modern') serveTasks(server)
  registerPrompts(server)
  registerResources(server)
  if (connection.push) registerSubscriptions(server)
  correctErrors(server, connection)
  return server
}
