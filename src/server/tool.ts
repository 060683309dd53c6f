// What a tool is, and the one place where its data or its exception becomes a result.
import type { CallToolResult, McpServer, ServerContext } from '@modelcontextprotocol/server'
import type * as z from 'zod/v4'
import { cancelled, describeError, isSpeechError } from '../domain/errors.ts'
import type { Progress } from '../domain/job.ts'
import type { DisconnectReason, Jobs } from '../jobs/jobs.ts'
import { log } from '../log.ts'
import type { Connection, ServerOptions } from './connection.ts'
import { departureOf } from './disconnect.ts'
import { startReporter } from './progress.ts'

export interface Call {
  jobs: Jobs
  /** Whose call it is. */
  owner: string
  /** How long to wait for a job unless the arguments say otherwise. */
  waitSeconds: number
  /** Aborted when the client cancels or goes. */
  signal: AbortSignal
  /** Which of the two it was, once the signal is aborted. */
  departure(): DisconnectReason
  progress(update: Progress): void
}

/** The same facts twice: clients show a model either the one or the other. */
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
  /** All four are given: their defaults assume the worst. */
  annotations: {
    readOnlyHint: boolean
    destructiveHint: boolean
    idempotentHint: boolean
    openWorldHint: boolean
  }
  /** False where it could not do anything, so that it is not offered. */
  isAvailable?(jobs: Jobs): boolean
  /** Returns data or throws. */
  handler(args: z.output<Input>, call: Call): Promise<ToolAnswer>
}

/** Keeps the types of the schema for the handler. */
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
    { title, description, inputSchema: input, outputSchema: output, annotations },
    (args, context) => {
      const { signal } = context.mcpReq
      const departure = () => departureOf(signal.reason, closingCancels)
      return run(tool, args, context, { jobs, owner, waitSeconds, signal, departure })
    },
  )
}

async function run(
  tool: Tool,
  args: Record<string, unknown>,
  context: ServerContext,
  call: Omit<Call, 'progress'>,
): Promise<CallToolResult> {
  const reporter = startReporter(context)
  try {
    const { structured, text } = await tool.handler(args, { ...call, progress: reporter.report })
    return { structuredContent: structured, content: [{ type: 'text', text }] }
  } catch (error) {
    const told = call.signal.aborted ? cancelled(error) : error
    if (!isSpeechError(told))
      log.error('tool-failed', { tool: tool.name, error: error instanceof Error ? error.name : typeof error })
    // No structured content here: clients check it against the schema of a success.
    return { isError: true, content: [{ type: 'text', text: describeError(told) }] }
  } finally {
    reporter.stop()
  }
}
