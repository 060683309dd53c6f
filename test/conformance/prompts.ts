// The suite's prompts, and the completion of their arguments.
import { completable, inputRequired, type McpServer } from '@modelcontextprotocol/server'
import * as z from 'zod/v4'
import { image, text } from './content.ts'
import { form, isAnswered } from './rounds.ts'

export function registerPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'Has no arguments' }, () =>
    messages(text('This is a simple prompt for testing.')),
  )
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'Has two arguments',
      argsSchema: z.object({
        arg1: completable(z.string(), typed =>
          ['paris', 'park', 'party'].filter(name => name.startsWith(typed)),
        ),
        arg2: z.string(),
      }),
    },
    ({ arg1, arg2 }) => messages(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Holds a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => {
      const resource = { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' }
      return messages({ type: 'resource', resource }, text('Please process the embedded resource above.'))
    },
  )
  server.registerPrompt('test_prompt_with_image', { description: 'Holds an image' }, () =>
    messages(image, text('Please analyze the image above.')),
  )
  const context = { user_context: form('What context should the prompt use?', 'context') }
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks first' }, call =>
    isAnswered(call, context)
      ? messages(text('With that context.'))
      : inputRequired({ inputRequests: context }),
  )
}

type Content =
  | ReturnType<typeof text>
  | typeof image
  | { type: 'resource'; resource: { uri: string; text: string } }

const messages = (...contents: Content[]) => ({
  messages: contents.map(content => ({ role: 'user' as const, content })),
})
