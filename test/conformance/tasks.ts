// The suite's tools of the tasks extension: calls that answer with a task, which the client asks about.
import {
  inputRequired,
  type McpServer,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server'
import * as z from 'zod/v4'
import { text } from './content.ts'
import { capabilitiesOf, form, isAnswered, type Requests } from './rounds.ts'
import { createTask, findTask, type Task, type TaskWork } from './task-store.ts'

const extension = 'io.modelcontextprotocol/tasks'
const anyResult = z.looseObject({})
const aTask = z.looseObject({ taskId: z.string() })

interface TaskTool {
  input: z.ZodObject
  /** False: the answer is its result, as the work is done at once. */
  isLong?(args: Record<string, unknown>): boolean
  /** True: a client without tasks is refused. */
  required?: boolean
  /** Asked before the task begins. */
  first?: Requests
  work(args: Record<string, unknown>): TaskWork
}

const none = z.object({})
const confirm = (message: string) => form(message, 'confirm', true)

const tools: Record<string, TaskTool> = {
  slow_compute: {
    input: z.object({ seconds: z.number(), label: z.string().optional() }),
    isLong: ({ seconds }) => Number(seconds) > 0,
    work:
      ({ seconds }) =>
      async ({ sleep }) => {
        await sleep(1000 * Number(seconds))
        return { content: [text(`Computed for ${seconds} s.`)] }
      },
  },
  failing_job: {
    input: none,
    required: true,
    work:
      () =>
      async ({ sleep }) => {
        await sleep(1000)
        return { isError: true, content: [text('The job has failed.')] }
      },
  },
  protocol_error_job: {
    input: none,
    work: () => async () => {
      throw new ProtocolError(ProtocolErrorCode.InternalError, 'The job cannot go on.')
    },
  },
  confirm_delete: {
    input: z.object({ filename: z.string() }),
    work:
      ({ filename }) =>
      async ({ ask }) => {
        await ask({ confirm: confirm(`Delete ${filename}?`) })
        return { content: [text(`${filename} is deleted.`)] }
      },
  },
  multi_input: {
    input: none,
    work:
      () =>
      async ({ ask }) => {
        await ask({ name: form('Your name?', 'name'), confirm: confirm('Are you sure?') })
        return { content: [text('Both are answered.')] }
      },
  },
  test_tool_with_task: {
    input: none,
    required: true,
    first: { user_name: form('What is your name?', 'name') },
    work:
      ({ name }) =>
      async () => ({ content: [text(`Hello, ${name}!`)] }),
  },
}

export function registerTasks(mcpServer: McpServer): void {
  mcpServer.registerTool(
    'greet',
    { description: 'Greets', inputSchema: z.object({ name: z.string() }) },
    ({ name }) => ({ content: [text(`Hello, ${name}!`)] }),
  )
  for (const [name, { input, first = {}, work }] of Object.entries(tools))
    mcpServer.registerTool(
      name,
      { description: 'Runs as a task', inputSchema: input },
      async (args, context) => {
        if (!isAnswered(context, first)) return inputRequired({ inputRequests: first })
        return work(args)({ sleep: async () => {}, ask: () => Promise.reject(new Error('Ask with a task.')) })
      },
    )
}

/** In protocol 2026-07-28; the SDK has no server for the extension. */
export function serveTasks({ server }: McpServer): void {
  server.registerCapabilities({ extensions: { [extension]: {} } })
  // Wrapped as it is: what the SDK does around a handler is not to be done twice.
  const { _requestHandlers: handlers } = server as unknown as Handlers
  const whole = handlers.get('tools/call')!
  handlers.set('tools/call', async (request, context) => {
    const { name, arguments: args = {} } = request.params
    const tool = Object.hasOwn(tools, name) ? tools[name]! : undefined
    if (tool?.required) requireTasks(context)
    const isTask = tool && hasTasks(context) && (tool.isLong?.(args) ?? true)
    return isTask && isAnswered(context, tool.first ?? {})
      ? begin(tool, args, context)
      : whole(request, context)
  })
  const handle = (method: string, answer: (task: Task, params: Record<string, unknown>) => object) =>
    server.setRequestHandler(method, { params: aTask, result: anyResult }, async (params, context) => {
      requireTasks(context)
      const { inputResponses } = context.mcpReq
      return { resultType: 'complete', ...answer(findTask(params.taskId), { inputResponses, ...params }) }
    })
  handle('tasks/get', task => task.describe())
  handle('tasks/cancel', task => task.cancel())
  handle('tasks/update', (task, { inputResponses = {} }) => task.update(inputResponses as object))
}

type CallRequest = { params: { name: string; arguments?: Record<string, unknown> } }
type Handler = (request: CallRequest, context: ServerContext) => Promise<object>
interface Handlers {
  _requestHandlers: Map<string, Handler>
}

function begin({ work }: TaskTool, args: Record<string, unknown>, { mcpReq }: ServerContext): object {
  const answers = mcpReq.inputResponses as { user_name?: { content?: object } } | undefined
  const task = createTask(work({ ...args, ...answers?.user_name?.content }))
  return { resultType: 'task', ...task.head() }
}

function hasTasks(context: ServerContext): boolean {
  const { extensions } = capabilitiesOf(context) as { extensions?: Record<string, object> }
  return extensions?.[extension] !== undefined
}

function requireTasks(context: ServerContext): void {
  const requiredCapabilities = { extensions: { [extension]: {} } }
  if (!hasTasks(context)) throw new MissingRequiredClientCapabilityError({ requiredCapabilities })
}
