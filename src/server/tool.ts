// The type of a tool, and the one function that turns its data or its exception into a result.
import type { CallToolResult, McpServer, ServerContext } from '@modelcontextprotocol/server'
import type * as z from 'zod/v4'
import { cancelled, describeError, isSpeechError } from '../domain/errors.ts'
import type { Progress } from '../domain/job.ts'
import { withoutControls } from '../domain/text.ts'
import type { DisconnectReason, Jobs } from '../jobs/jobs.ts'
import { log } from '../log.ts'
import type { Connection, ServerOptions } from './connection.ts'
import { disconnectReasonOf } from './disconnect.ts'
import { listedSchema } from './listed-schema.ts'
import { startProgressReporter } from './progress.ts'

export interface ToolCall {
  jobs: Jobs
  /** Owner of the transcripts that the call may read. */
  owner: string
  /** Default for how long to wait for a job. */
  waitSeconds: number
  /** Aborted when the client cancels or disconnects. */
  signal: AbortSignal
  /** Why the signal was aborted. */
  disconnectReason(): DisconnectReason
  progress(update: Progress): void
}

/** The same facts as data and as text: clients show a model one or the other. */
export interface ToolAnswer {
  structured: Record<string, unknown>
  text: string
}

export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  name: string
  title: string
  description: string
  input: Input
  output: z.ZodObject
  /** All four are required here: the protocol's defaults assume the worst. */
  annotations: Record<'readOnlyHint' | 'destructiveHint' | 'idempotentHint' | 'openWorldHint', boolean>
  /** If false, the tool is not listed. */
  isAvailable?(jobs: Jobs): boolean
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
  { jobs, waitSeconds }: ServerOptions,
  { owner, closingCancels }: Connection,
): void {
  const { name, title, description, input, output, annotations } = tool
  server.registerTool(
    name,
    {
      title,
      description,
      inputSchema: listedSchema(name, 'input', input),
      outputSchema: listedSchema(name, 'output', output),
      annotations,
    },
    (args, context) => {
      const { signal } = context.mcpReq
      const disconnectReason = () => disconnectReasonOf(signal.reason, closingCancels)
      return run(tool, args, context, { jobs, owner, waitSeconds, signal, disconnectReason })
    },
  )
}

async function run(
  tool: Tool,
  args: Record<string, unknown>,
  context: ServerContext,
  call: Omit<ToolCall, 'progress'>,
): Promise<CallToolResult> {
  const reporter = startProgressReporter(context)
  try {
    const { structured, text } = await tool.handler(args, { ...call, progress: reporter.report })
    return { structuredContent: structured, content: [{ type: 'text', text: withoutControls(text) }] }
  } catch (error) {
    const reported = call.signal.aborted ? cancelled(error) : error
    if (!isSpeechError(reported))
      log.error('tool-failed', { tool: tool.name, error: error instanceof Error ? error.name : typeof error })
    // No structured content: clients would validate it against the output schema of a success.
    return { isError: true, content: [{ type: 'text', text: describeError(reported) }] }
  } finally {
    reporter.stop()
  }
}
