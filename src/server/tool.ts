// The type of a tool, and the one function that turns its data or its exception into a result.
import type {
  AudioContent,
  CallToolResult,
  McpServer,
  RegisteredTool,
  ResourceLink,
  ServerContext,
} from '@modelcontextprotocol/server'
import type * as z from 'zod/v4'
import { cancelled, isSpeechError } from '../domain/errors.ts'
import type { Progress } from '../domain/job.ts'
import { deadlines } from '../domain/network/deadlines.ts'
import type { Uploads } from '../domain/network/uploads.ts'
import { withoutControls } from '../domain/text.ts'
import type { DisconnectReason, Jobs, WatchOptions } from '../jobs/jobs.ts'
import { log } from '../log.ts'
import type { Connection, ServerOptions } from './connection.ts'
import { disconnectReasonOf } from './disconnect.ts'
import type { Seals } from './http/pages/seals.ts'
import { listedSchema } from './listed-schema.ts'
import { type Agreement, agreementOf, ask, type Question } from './orders/agreement.ts'
import { startProgressReporter } from './progress.ts'
import { describeFailure, findAdvice, namedInput } from './results/failure.ts'
import { takesLinks, takesSound } from './results/links.ts'
import { uploadAdvice } from './results/upload.ts'
import { answerMsWithin, startLimit } from './time-limit.ts'
import { serverUrlOf } from './uris.ts'

export type Wait = Required<Pick<WatchOptions, 'seconds' | 'shortSeconds'>>

/** Without `wait_seconds` a short recording or text is waited for this long, at least. */
const shortWaitSeconds = 45

export interface ToolCall {
  jobs: Jobs
  /** Absent where nothing can be uploaded. */
  uploads?: Uploads | undefined
  /** Absent where no pages are served. */
  seals?: Seals | undefined
  /** Address at which the client reaches the server, such as `https://host`; over HTTP only. */
  serverUrl?: string | undefined
  /** Owner of the transcripts that the call may read. */
  owner: string
  /** How long to wait for a job. */
  wait: Wait
  /** Aborted when the client cancels or disconnects. */
  signal: AbortSignal
  /** Why the signal was aborted. */
  disconnectReason(): DisconnectReason
  /** The user's agreement in this call. */
  agreement: Agreement
  progress(update: Progress): void
}

/** The same facts as data and as text: clients show a model one or the other. */
export interface ToolAnswer {
  structured: Record<string, unknown>
  text: string
  /** For clients that show a user more than text. */
  links?: ResourceLink[]
  /** For clients that know this kind of content. */
  sound?: AudioContent[]
  /** Asked instead, only of a client that can show it; the call begins again with the answer. */
  question?: Question
}

export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  name: string
  title: string
  description: string
  input: Input
  /** Its input where the host may hand over a file of the chat as `file`. */
  fileInput?: z.ZodObject
  output: z.ZodObject
  /** All four are required here: the protocol's defaults assume the worst. */
  annotations: Record<'readOnlyHint' | 'destructiveHint' | 'idempotentHint' | 'openWorldHint', boolean>
  /** Default: that of all calls, or of those that wait. */
  deadline?: { totalSeconds: number }
  /** If false, the tool is not listed. */
  isAvailable?(options: ServerOptions): boolean
  /** Address of the page that shows the result; listed only for clients that can show it. */
  app?: string
  /** Pages of apps may call it, too. */
  isForApps?: true
  /** Returns data or throws. */
  handler(args: z.output<Input>, call: ToolCall): Promise<ToolAnswer>
}

/** Infers the handler's argument types from the schema. */
export function defineTool<Input extends z.ZodObject>(tool: Tool<Input>): Tool {
  return tool as unknown as Tool
}

export function registerTool(
  server: McpServer,
  tool: Tool,
  { jobs, uploads, seals, load, waitSeconds }: ServerOptions,
  { owner, closingCancels, onCallBegins }: Connection,
): RegisteredTool {
  const { name, title, description, input, fileInput, output, annotations, app } = tool
  // A server for other machines. With open folders it stands near, and the list would grow too long.
  const takesFiles = fileInput !== undefined && uploads !== undefined && !jobs.foldersOpen
  return server.registerTool(
    name,
    {
      title,
      description,
      inputSchema: takesFiles
        ? listedSchema(name, 'fileInput', fileInput)
        : listedSchema(name, 'input', input),
      outputSchema: listedSchema(name, 'output', output),
      annotations,
      ...(takesFiles && { _meta: { 'openai/fileParams': ['file'] } }),
      // The second key is that of hosts before the specification.
      ...(app !== undefined && { _meta: { ui: { resourceUri: app }, 'ui/resourceUri': app } }),
    },
    async (args, context) => {
      // Early: wrong arguments have been refused before, and `agreementOf` looks for the one capability that a tool uses.
      onCallBegins?.()
      await load?.().catch(() => {})
      const { signal } = context.mcpReq
      const disconnectReason = () => disconnectReasonOf(signal.reason, closingCancels)
      const agreement = agreementOf(server, context)
      const wait = waitOf(args, waitSeconds)
      const serverUrl = serverUrlOf(context.http?.req)
      const shared = { jobs, uploads, seals, serverUrl, owner }
      const call = { ...shared, signal, disconnectReason, agreement, wait }
      const { links = [], sound = [], content, question, ...result } = await run(tool, args, context, call)
      if (question) return ask(question)
      const heard = takesSound(server, context) ? sound : []
      return { ...result, content: [...content, ...heard, ...(takesLinks(server, context) ? links : [])] }
    },
  )
}

async function run(
  tool: Tool,
  args: Record<string, unknown>,
  context: ServerContext,
  call: Omit<ToolCall, 'progress'>,
): Promise<CallToolResult & Pick<ToolAnswer, 'links' | 'sound' | 'question'>> {
  const reporter = startProgressReporter(context)
  const limit = startLimit(call.signal, answerMs(tool, call.wait))
  const { signal } = limit
  // The work goes on where the time was up.
  const disconnectReason = () => (limit.isTimeUp() ? 'detached' : call.disconnectReason())
  try {
    const given = { ...call, signal, disconnectReason, progress: reporter.report }
    const { structured, text, ...more } = await Promise.race([tool.handler(args, given), limit.timeUp])
    return {
      structuredContent: structured,
      content: [{ type: 'text', text: withoutControls(text) }],
      ...more,
    }
  } catch (error) {
    const reported = call.signal.aborted ? cancelled(error) : error
    if (!isSpeechError(reported))
      log.error('tool-failed', { tool: tool.name, error: error instanceof Error ? error.name : typeof error })
    // No structured content: clients would validate it against the output schema of a success.
    const upload = tool.fileInput ? uploadAdvice(reported, call) : []
    const advice = [...findAdvice(reported, args, call.jobs), ...namedInput(reported, args), ...upload]
    const text = [describeFailure(reported, call.jobs), ...advice].join(' ')
    return { isError: true, content: [{ type: 'text', text }] }
  } finally {
    limit.stop()
    await reporter.stop()
  }
}

function waitOf({ wait_seconds: explicit }: Record<string, unknown>, waitSeconds: number): Wait {
  if (typeof explicit === 'number') return { seconds: explicit, shortSeconds: explicit }
  return { seconds: waitSeconds, shortSeconds: Math.max(waitSeconds, shortWaitSeconds) }
}

function answerMs({ input, deadline }: Tool, { shortSeconds }: Wait): number {
  if (deadline) return answerMsWithin(deadline)
  return 'wait_seconds' in input.shape
    ? 1000 * shortSeconds + answerMsWithin(deadlines.waitingCall)
    : answerMsWithin(deadlines.call)
}
