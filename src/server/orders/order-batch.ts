// Orders a batch for a tool: plans it, asks for its price where the client can, and waits for its end.
import type { JobTool } from '../../domain/job.ts'
import type { BatchOrder } from '../../jobs/jobs.ts'
import { timeLeft } from '../../jobs/time-left.ts'
import { batchAnswer, planAnswer, planningAnswer, priceQuestion } from '../results/batch.ts'
import type { ToolAnswer, ToolCall } from '../tool.ts'

/** Waits for a batch, and lists its recordings. `leaving` cancels it with the call. */
export async function watchBatch(
  id: string,
  { jobs, owner, signal, wait, progress, disconnectReason }: ToolCall,
  { leaving = false, offset }: { leaving?: boolean; offset?: number } = {},
): Promise<ToolAnswer> {
  const reason = leaving ? disconnectReason : () => 'detached' as const
  await jobs.watch(id, { ...wait, owner, signal, disconnectReason: reason, onProgress: progress })
  return batchAnswer(await jobs.batch(owner, id), offset)
}

export async function orderBatch(
  tool: JobTool,
  order: BatchOrder,
  call: ToolCall & { confirmUsd?: number },
): Promise<ToolAnswer> {
  const { jobs, owner, signal, progress, agreement, confirmUsd, disconnectReason, wait } = call
  const started = performance.now()
  // It counts recordings, and the batch seconds.
  const onProgress = ({ message }: { message: string }) => progress({ done: 0, message })
  // A model must not overrule its user, who may have declined.
  const agreedUsd = agreement.canAsk ? agreement.usd : confirmUsd
  const watch = { owner, signal, disconnectReason, onProgress, seconds: wait.shortSeconds }
  const { plan, id, mostUsd } = await jobs.orderBatch({ ...order, agreedUsd }, { tool, ...watch })
  if (!plan) return planningAnswer(tool)
  if (id !== undefined) return watchBatch(id, { ...call, wait: timeLeft(wait, started) }, { leaving: true })
  const isToAsk = agreement.canAsk && !agreement.wasAsked
  return {
    ...planAnswer({ plan, mostUsd }, tool, agreement),
    ...(isToAsk && { question: { message: priceQuestion(plan, mostUsd), usd: mostUsd } }),
  }
}
