// Batches: ordered once their price is agreed to, run in this process or taken over from a dead one, read and cancelled.
import { type BatchPlan, type BatchView, isPriceOpen } from '../../domain/batch/batch.ts'
import { priceUnknown } from '../../domain/costs/budget.ts'
import { dayOf } from '../../domain/costs/spending.ts'
import { codeOf } from '../../domain/errors.ts'
import { isOver, type Job } from '../../domain/job.ts'
import { oneLine } from '../../domain/text.ts'
import { log } from '../../log.ts'
import { modelsOf } from '../../pipeline/select-pipeline.ts'
import type { JobContext } from '../context.ts'
import { createSingleFlight } from '../formatting/single-flight.ts'
import { toleranceUsd } from '../records/allowances.ts'
import { usesOurModels } from '../records/job-message.ts'
import { notFound } from '../records/job-repository.ts'
import { leaseMs, newLease, queueLeaseMs } from '../records/lease.ts'
import { endJob } from '../records/transitions.ts'
import type { WatchOptions } from '../watch.ts'
import { hasFilesHere } from './has-files-here.ts'
import { nothingReadable, type PlanCaller, type PlanRequest, planBatch, titleOf } from './plan.ts'
import { type RunningBatch, startBatch } from './run-batch.ts'
import { batchId, batchRecords, type StoredBatch, viewOf } from './stored-batch.ts'

export interface BatchOrder extends PlanRequest {
  title?: string
  /** Most that it may cost, in US dollars. Absent: it is only planned, unless nothing is left to pay. */
  agreedUsd?: number
}

export interface OrderedBatch {
  /** Absent where the time was up before all recordings were read: the same order again joins the work. */
  plan?: BatchPlan
  /** Absent where its price is not agreed to: nothing was begun. */
  id?: string
  /** To agree to, in US dollars: the estimate, or without one the limit of an order. Absent: the user names an amount. */
  mostUsd?: number
}

/** The caller, and the time that the call waits for the plan. */
export type BatchCaller = Pick<PlanCaller, 'tool'> & WatchOptions

/** Plans under way at the same time, and for how long one waits for the call that comes back for it. */
const maxPlansPerOwner = 20
const keptPlanMs = 60_000

/** Recordings of a batch: their list is read and written as a whole. */
export const maxRecordings = 1_000

export function createBatches(context: JobContext) {
  const { workerId, shared, store, repository, leases, changes, allowances, pipeline, mutex, queue } = context
  const records = batchRecords(store)
  const running = new Map<string, RunningBatch>()
  const starting = new Set<Promise<void>>()
  let closed = false
  const keyOf = ({ owner, id }: Pick<Job, 'owner' | 'id'>) => `${owner}/${id}`
  const plans = createSingleFlight<BatchPlan>(context, {
    maxPerOwner: maxPlansPerOwner,
    outcomeMs: keptPlanMs,
    busy: `${maxPlansPerOwner} batches are being planned already.`,
  })

  /** Goes on after the call: a recording of hours takes longer to read than a call may wait. */
  function planFor({ sources, options, recursive }: BatchOrder, { tool, ...watch }: BatchCaller) {
    const { owner } = watch
    const request = { sources, options, recursive, maxRecordings }
    const key = { owner, subject: JSON.stringify([tool, request]), options: '' }
    return plans.join(
      key,
      ({ signal, progress }) => planBatch(request, { tool, owner, signal, onProgress: progress }, context),
      watch,
    )
  }

  async function order(request: BatchOrder, caller: BatchCaller): Promise<OrderedBatch> {
    const { agreedUsd, title = '', sources, options } = request
    const plan = await planFor(request, caller)
    if (!plan) return {}
    if (plan.recordings.length === 0) throw nothingReadable(plan)
    const { tool, owner } = caller
    const isPaid = plan.recordings.some(({ state }) => state !== 'done')
    if (isPaid && plan.usd === undefined && allowances.isStrict)
      throw priceUnknown(modelsOf(tool, { ...options, audio: '' }, pipeline).join(' or '))
    const id = batchId(plan.recordings, options.format)
    const found = await repository.get(owner, id)
    if (found && !isOver(found.state)) {
      await resume(found)
      return { plan, id }
    }
    if (plan.usd !== undefined) allowances.check(plan.usd)
    if (isPaid && !isAgreed(plan, agreedUsd)) return { plan, mostUsd: mostUsdOf(plan) }

    const now = new Date()
    const day = dayOf(now.getTime())
    const terms = {
      day,
      usd: isPriceOpen(plan) ? allowances.within(agreedUsd ?? 0) : plan.usd,
    }
    const audio = sources.join('\n')
    const fresh: Job = {
      id,
      owner,
      tool,
      request: { ...options, audio: audio.slice(0, 1_000), title: oneLine(title) || titleOf(plan, sources) },
      models: modelsOf(tool, { ...options, audio: '' }, pipeline),
      state: 'queued',
      revision: 1,
      short: false,
      createdAt: now.toISOString(),
      updatedAt: now.toISOString(),
      lease: newLease(workerId, queueLeaseMs),
      progress: { done: 0, total: plan.seconds, message: `0 of ${plan.recordings.length} recordings done` },
      terms,
    }
    await mutex(keyOf(fresh), () => begin(fresh, plan))
    return { plan, id }
  }

  function mostUsdOf(plan: BatchPlan): number | undefined {
    if (!isPriceOpen(plan)) return plan.usd
    // A limit says nothing about a model whose price is unknown: it counts as nothing.
    return plan.usd === undefined ? undefined : allowances.mostUsd
  }

  /** A batch that is under way goes on as it is; one that is over begins again with what it lacks. */
  async function begin(fresh: Job, plan: BatchPlan): Promise<void> {
    const { owner, id, terms } = fresh
    const found = await repository.get(owner, id)
    if (found && !isOver(found.state)) return resume(found)
    if (terms?.usd !== undefined) await allowances.open({ owner, id, terms })
    try {
      await records.savePlan(fresh, plan)
      await records.saveEnds(fresh, new Map())
      await repository.add(fresh)
      const { request, models, lease, progress } = fresh
      const again = { state: 'queued' as const, request, models, lease, terms, progress, error: undefined }
      await start(await repository.update(owner, id, now => (isOver(now.state) ? again : undefined)))
    } catch (error) {
      if (terms?.usd !== undefined) await allowances.close({ owner, id, terms }).catch(logFailure)
      throw error
    }
  }

  async function resume(job: Job): Promise<void> {
    if (!running.has(keyOf(job)) && leases.canStartHere(job)) await start(job)
  }

  function start({ owner, id }: Job): Promise<void> {
    const starts = claimAndRun(owner, id)
    starting.add(starts)
    return starts.finally(() => starting.delete(starts))
  }

  async function claimAndRun(owner: string, id: string): Promise<void> {
    const key = keyOf({ owner, id })
    if (closed || running.has(key)) return
    let isClaimed = false
    const job = await repository.update(owner, id, now => {
      isClaimed = !isOver(now.state) && leases.canStartHere(now)
      return isClaimed
        ? { state: 'running', lease: newLease(workerId, leaseMs), error: undefined }
        : undefined
    })
    if (!isClaimed || running.has(key)) return
    const plan = await records.readPlan(job)
    if (!plan) {
      await repository.update(owner, id, endJob('failed'))
      return
    }
    const run = startBatch(job, plan, await records.readEnds(job), context)
    running.set(key, run)
    if (closed) run.stop('released')
    void run.ended.finally(() => running.delete(key))
  }

  /** A batch of other models, or of files that this machine lacks, is left to a process that has them. */
  async function canGoOn(job: Job, { recordings }: StoredBatch): Promise<boolean> {
    const ends = await records.readEnds(job)
    const pending = recordings.filter(({ id }) => !ends.has(id))
    // Only its own end is left to write.
    if (pending.length === 0) return true
    // The price was agreed to for the models of the plan.
    if (!usesOurModels(job, pipeline)) return false
    return !shared || hasFilesHere(pending, job.owner, context)
  }

  async function find(owner: string, id: string): Promise<{ job: Job; plan: StoredBatch }> {
    const job = await repository.get(owner, id)
    const plan = job && (await records.readPlan(job))
    if (!job || !plan) throw notFound()
    return { job, plan }
  }

  async function cancel(owner: string, id: string): Promise<Job> {
    let isCancelled = false
    const job = await repository.update(owner, id, now => {
      isCancelled = !isOver(now.state)
      return isCancelled ? endJob('cancelled')(now) : undefined
    })
    if (!isCancelled) return job
    const run = running.get(keyOf(job))
    run?.stop('cancelled')
    await run?.ended
    await stopRecordings(job)
    if (job.terms) await allowances.close({ owner, id, terms: job.terms }).catch(logFailure)
    changes.publish({ owner, id, listChanged: false })
    return job
  }

  /** Those that another process has submitted for this batch, unless a call waits for them. */
  async function stopRecordings(batch: Job): Promise<void> {
    const plan = await records.readPlan(batch)
    const ends = await records.readEnds(batch)
    for (const { id } of plan?.recordings ?? []) {
      if (ends.has(id)) continue
      const job = await repository.get(batch.owner, id)
      if (job && !isOver(job.state) && job.batch?.id === batch.id) await context.abandon(batch.owner, id)
    }
  }

  return {
    order,
    cancel,
    async view(owner: string, id: string): Promise<BatchView> {
      const { job, plan } = await find(owner, id)
      const run = running.get(keyOf(job))
      const view = viewOf(job, plan, run?.ends ?? (await records.readEnds(job)))
      const isLeft = !run && !isOver(job.state) && leases.isFree(job)
      const waits = isLeft && view.items.some(({ end }) => !end) && !usesOurModels(job, pipeline)
      return waits ? { ...view, waitsForModels: job.models } : view
    },
    /** Deletes the list; the transcripts stay. */
    async remove(owner: string, id: string): Promise<void> {
      await cancel(owner, id)
      if (!(await repository.remove(owner, id))) throw notFound()
      changes.publish({ owner, id, listChanged: false })
    },
    /** Takes over a batch whose process has died. */
    async recover(job: Job): Promise<void> {
      if (running.has(keyOf(job)) || !leases.isFree(job)) return
      const plan = await records.readPlan(job)
      if (plan && !(await canGoOn(job, plan))) return
      log.info('batch-resumed', { id: job.id })
      await start(job)
    },
    /** Releases all batches to other processes; their recordings go on by themselves. */
    async close(): Promise<void> {
      closed = true
      await plans.close()
      await Promise.all(starting)
      const all = [...running.values()]
      for (const run of all) run.stop('released')
      await Promise.all(all.map(({ ended }) => ended))
    },
  }

  function logFailure(error: unknown): void {
    log.warn('batch-not-freed', { code: codeOf(error), shared: queue.shared })
  }
}

/** Recordings without an estimate need an amount beyond it: the others may use all of it. */
function isAgreed(plan: BatchPlan, agreedUsd: number | undefined): boolean {
  if (agreedUsd === undefined) return false
  const { usd = 0 } = plan
  return isPriceOpen(plan) ? agreedUsd > usd + toleranceUsd : agreedUsd + toleranceUsd >= usd
}
