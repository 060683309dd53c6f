// Progress notifications: frequent enough to keep a client from timing out, without flooding it.
import type { ServerContext } from '@modelcontextprotocol/server'
import type { Progress } from '../domain/job.ts'
import { asLine } from '../domain/text.ts'

/** At most four notifications a second, and at least one every five seconds: silent calls time out at some clients. */
const minIntervalMs = 250
/** A call that ends sooner reports nothing. */
const firstMs = 100
/** Between a notification and the result: clients that read both at once take it for one of an unknown call. */
const quietMs = 50
/** An update waits so long, as the result may follow it at once: then it is not sent, and the result need not wait. */
const settlingMs = 50
const maxIntervalMs = 4_500
/** The protocol requires progress to increase with each notification, even if nothing has happened. */
const minIncrement = 0.001

/** By the signal of the request: a call that asks the user something runs twice for one request. */
const sentBefore = new WeakMap<AbortSignal, number>()

/** Reports nothing if the client did not request progress. */
export function startProgressReporter(context: ServerContext) {
  const token = context.mcpReq._meta?.progressToken
  if (token === undefined) return { report: (_: Progress) => {}, stop: async () => {} }
  let latest: Progress = { done: 0, message: 'Starting' }
  const { signal } = context.mcpReq
  let sent = sentBefore.get(signal) ?? -minIncrement
  let timer: NodeJS.Timeout
  let lastAt: number | undefined
  let isPending = false
  const begun = performance.now()
  let stopped = false

  function send(): void {
    clearTimeout(timer)
    timer = setTimeout(send, maxIntervalMs).unref()
    isPending = false
    lastAt = performance.now()
    const { total, message } = latest
    // Rounded before they are compared: two equal values would not increase.
    sent = Math.max(round(latest.done), round(sent + minIncrement))
    sentBefore.set(signal, sent)
    const params = {
      progressToken: token!,
      progress: sent,
      ...(total !== undefined && { total: round(Math.max(total, sent)) }),
      message: asLine(message),
    }
    // Sending fails if the client has disconnected; its request is aborted separately.
    context.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {})
  }

  // The first step may already take long, for example a slow download.
  timer = setTimeout(send, maxIntervalMs).unref()

  return {
    report(update: Progress): void {
      if (stopped) return
      latest = update
      if (isPending) return
      isPending = true
      const due = lastAt === undefined ? begun + firstMs : lastAt + minIntervalMs
      clearTimeout(timer)
      timer = setTimeout(send, Math.max(settlingMs, due - performance.now())).unref()
    },
    /** Resolves once the result may follow; an update that is not sent by now is dropped. */
    async stop(): Promise<void> {
      stopped = true
      clearTimeout(timer)
      const quiet = quietMs - (performance.now() - (lastAt ?? Number.NEGATIVE_INFINITY))
      if (quiet > 0) await new Promise(resolve => setTimeout(resolve, quiet))
    },
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
