// The suite's tools that ask a client of 2025 while they run: for a text of its model, or for input of its user.
import type { McpServer, ServerContext } from '@modelcontextprotocol/server'
import * as z from 'zod/v4'
import { text } from './content.ts'

type Form = Parameters<ServerContext['mcpReq']['elicitInput']>[0] & { mode?: 'form' }
type Properties = Form['requestedSchema']['properties']

export function registerQuestions(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the model of the client', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, { mcpReq }) => {
      const { content } = await mcpReq.requestSampling({
        messages: [{ role: 'user', content: text(prompt) }],
        maxTokens: 100,
      })
      const [answer] = [content].flat()
      return { content: [text(`LLM response: ${answer && 'text' in answer ? answer.text : ''}`)] }
    },
  )
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user', inputSchema: z.object({ message: z.string() }) },
    async ({ message }, context) => {
      const { action, content } = await ask(context, message, person, ['username', 'email'])
      return { content: [text(`User response: action: ${action}, content: ${JSON.stringify(content)}`)] }
    },
  )
  const forms = { test_elicitation_sep1034_defaults: defaults, test_elicitation_sep1330_enums: choices }
  for (const [name, properties] of Object.entries(forms))
    server.registerTool(name, { description: 'Asks the user with a form' }, async context => {
      const { action, content } = await ask(context, 'Please fill in the form.', properties)
      return {
        content: [text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`)],
      }
    })
}

function ask({ mcpReq }: ServerContext, message: string, properties: Properties, required: string[] = []) {
  return mcpReq.elicitInput({ message, requestedSchema: { type: 'object', properties, required } })
}

const person: Properties = {
  username: { type: 'string', description: "User's response" },
  email: { type: 'string', description: "User's email address" },
}

const defaults: Properties = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
}

const options = ['option1', 'option2', 'option3']
const titled = (word: string) =>
  ['First', 'Second', 'Third'].map((title, at) => ({ const: `value${at + 1}`, title: `${title} ${word}` }))

const choices: Properties = {
  untitledSingle: { type: 'string', enum: options },
  titledSingle: { type: 'string', oneOf: titled('Option') },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
  titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
}
