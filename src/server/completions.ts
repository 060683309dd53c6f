// Completes the arguments of prompts and of resource templates. The SDK's own handler trips over names like `constructor`.
import { type McpServer, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { formatNames } from '../formats/index.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { promptArguments, promptNames } from './prompts.ts'
import { throwProtocolError } from './resources.ts'
import { templateUris } from './uris.ts'

/** Number of newest transcripts considered when a client completes an id; the protocol allows as many values. */
const completionLimit = 100

/** The values of an argument that start with the typed text. */
type Complete = (typed: string) => Promise<string[]> | string[]

export function registerCompletions({ server }: McpServer, jobs: Jobs, owner: string): void {
  const ids: Complete = async typed => {
    const { transcripts } = await jobs.list(owner, { limit: completionLimit }).catch(throwProtocolError(jobs))
    return transcripts.map(({ id }) => id).filter(id => id.startsWith(typed))
  }
  const formats: Complete = typed => formatNames.filter(name => name.startsWith(typed))
  const ofPrompt = new Map<string, Complete>(promptArguments.map(name => [name, () => []]))
  ofPrompt.set('transcript_id', ids)
  const prompts = new Map(promptNames.map(name => [name, ofPrompt]))
  const templates = new Map([
    [templateUris.transcript, new Map([['id', ids]])],
    [templateUris.clip, new Map([['id', ids]])],
    [
      templateUris.file,
      new Map([
        ['id', ids],
        ['format', formats],
      ]),
    ],
  ])
  server.registerCapabilities({ completions: {} })
  server.setRequestHandler('completion/complete', async ({ params: { ref, argument } }) => {
    const found = ref.type === 'ref/prompt' ? prompts.get(ref.name) : templates.get(ref.uri)
    const complete = found?.get(argument.name)
    if (!complete)
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        'No prompt or resource template has this argument.',
      )
    const values = await complete(argument.value)
    return { completion: { values, total: values.length, hasMore: false } }
  })
}
