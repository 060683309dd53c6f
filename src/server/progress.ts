// Progress notifications: often enough that a client waits, seldom enough that it is not flooded.
import type { ServerContext } from '@modelcontextprotocol/server'
import type { Progress } from '../domain/job.ts'

export interface Reporter {
  report(update: Progress): void
  stop(): void
}

/** At most four a second; at least one every five seconds, as clients take silence for death. */
const shortestGap = 250
const longestGap = 4_500
/** Progress must rise with each notification, also when nothing has happened but time. */
const tick = 0.001

/** Reports nothing where the client did not ask for progress. */
export function startReporter(context: ServerContext): Reporter {
  const token = context.mcpReq._meta?.progressToken
  if (token === undefined) return { report: () => {}, stop: () => {} }
  let latest: Progress = { done: 0, message: 'Starting' }
  let sent = -tick
  let due: NodeJS.Timeout
  let lastAt = Number.NEGATIVE_INFINITY
  let unsent = false
  let stopped = false

  function send(): void {
    clearTimeout(due)
    due = setTimeout(send, longestGap).unref()
    lastAt = performance.now()
    unsent = false
    const { total, message } = latest
    sent = Math.max(latest.done, sent + tick)
    const params = {
      progressToken: token!,
      progress: round(sent),
      ...(total !== undefined && { total: round(Math.max(total, sent)) }),
      message,
    }
    // The client may be gone; its request is aborted then, and nobody waits for this.
    context.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {})
  }

  // Silence may come before the first step, too: an address can take long to answer.
  due = setTimeout(send, longestGap).unref()

  return {
    report(update) {
      if (stopped) return
      latest = update
      unsent = true
      const wait = shortestGap - (performance.now() - lastAt)
      clearTimeout(due)
      if (wait <= 0) send()
      else due = setTimeout(send, wait).unref()
    },
    stop() {
      // The last step is told too, before the result.
      if (unsent) send()
      stopped = true
      clearTimeout(due)
    },
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
