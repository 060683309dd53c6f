// Circuit breaker per model: one probe request at a time while its state is unknown.
import type { SpeechError } from '../../domain/errors.ts'
import { unlessAborted } from '../../domain/waiting/unless-aborted.ts'

export interface CircuitBreaker {
  /**
   * Resolves with a permit, or with the error that the request would meet; rejects with the signal's reason. While the state
   * of the model is unknown, one request probes it and the others wait for its outcome.
   */
  acquire(signal: AbortSignal): Promise<SpeechError | Permit>
  /** Refuses requests with this error for a minute, or for the given milliseconds. */
  open(error: SpeechError, durationMs?: number): void
}

/** Belongs to one request. */
export interface Permit {
  /** The model has accepted the request, so all may go. */
  succeed(): void
  /** The request is over; `aborted`: before it could learn anything. */
  release(aborted: boolean): void
}

export interface CircuitBreakerOptions {
  /** Milliseconds of any clock. */
  now?: () => number
  /** How long a probe keeps others waiting, from its start: a slow model must not be asked by one after the other. */
  probeTimeoutMs?: number
}

const closedMs = 600_000
const openMs = 60_000

/** The outcome of a probe for the requests that wait for it: to look at the state again, or to find out by themselves. */
type ProbeOutcome = 'look' | 'go'

interface Probe {
  outcome: Promise<ProbeOutcome>
  end(outcome: ProbeOutcome): void
}

export function createCircuitBreaker({
  now = () => performance.now(),
  probeTimeoutMs = 5_000,
}: CircuitBreakerOptions = {}): CircuitBreaker {
  let closedUntil = Number.NEGATIVE_INFINITY
  let refusal: { error: SpeechError; until: number } | undefined
  let probe: Probe | undefined

  function endProbe(outcome: ProbeOutcome): void {
    probe?.end(outcome)
    probe = undefined
  }

  function createPermit(own?: Probe): Permit {
    return {
      succeed() {
        closedUntil = now() + closedMs
        endProbe('look')
      },
      release(aborted) {
        if (own && own === probe) endProbe(aborted ? 'look' : 'go')
      },
    }
  }

  return {
    async acquire(signal) {
      for (;;) {
        signal.throwIfAborted()
        if (refusal && now() < refusal.until) return refusal.error
        if (now() < closedUntil) return createPermit()
        if (!probe) {
          probe = createProbe(probeTimeoutMs)
          return createPermit(probe)
        }
        if ((await unlessAborted(probe.outcome, signal)) === 'go') return createPermit()
      }
    },
    open(error, durationMs = openMs) {
      closedUntil = Number.NEGATIVE_INFINITY
      refusal = { error, until: now() + durationMs }
      endProbe('look')
    },
  }
}

function createProbe(timeoutMs: number): Probe {
  let endWith: (outcome: ProbeOutcome) => void = () => {}
  const outcome = new Promise<ProbeOutcome>(resolve => {
    endWith = resolve
  })
  const timer = setTimeout(() => endWith('go'), timeoutMs)
  return {
    outcome,
    end(how) {
      clearTimeout(timer)
      endWith(how)
    },
  }
}
