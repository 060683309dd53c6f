// Whether a model may be asked: what earlier requests have learned, and which one finds out while nobody knows.
import type { SpeechError } from '../../domain/errors.ts'

export interface Door {
  /**
   * Resolves when the request may go, or with the error that it would meet; rejects with the signal's reason. While nobody
   * knows whether the model lives, one request goes and the others wait to hear of it.
   */
  enter(signal: AbortSignal): Promise<SpeechError | Visit>
  /** Asking is in vain for a while: a minute, or so many milliseconds. */
  shut(error: SpeechError, time?: number): void
}

/** One request's. */
export interface Visit {
  /** The model has taken the request: all may go. */
  lives(): void
  /** The request is over; `untold` where it was called off before it could learn anything. */
  leave(untold: boolean): void
}

export interface DoorOptions {
  /** Milliseconds, of any clock. */
  now?: () => number
  /** Milliseconds that the others wait for the first one: a slow model must not be asked by one after the other. */
  patience?: number
}

const knownFor = 600_000
const shutFor = 60_000

/** What those hear who wait: there is something to know now, or they have to find out by themselves. */
type News = 'look' | 'go'

export function createDoor({ now = () => performance.now(), patience = 5_000 }: DoorOptions = {}): Door {
  let knownUntil = Number.NEGATIVE_INFINITY
  let refusal: { error: SpeechError; until: number } | undefined
  let first: { news: Promise<News>; tell(news: News): void } | undefined

  function tell(news: News): void {
    first?.tell(news)
    first = undefined
  }

  function visit(probe?: typeof first): Visit {
    return {
      lives() {
        knownUntil = now() + knownFor
        tell('look')
      },
      leave(untold) {
        if (probe && probe === first) tell(untold ? 'look' : 'go')
      },
    }
  }

  return {
    async enter(signal) {
      for (;;) {
        signal.throwIfAborted()
        if (refusal && now() < refusal.until) return refusal.error
        if (now() < knownUntil) return visit()
        if (!first) {
          first = createNews()
          return visit(first)
        }
        if ((await within(first.news, patience, signal)) === 'go') return visit()
      }
    },
    shut(error, time = shutFor) {
      knownUntil = Number.NEGATIVE_INFINITY
      refusal = { error, until: now() + time }
      tell('look')
    },
  }
}

function createNews(): { news: Promise<News>; tell(news: News): void } {
  let tell: (news: News) => void = () => {}
  const news = new Promise<News>(resolve => {
    tell = resolve
  })
  return { news, tell }
}

function within(news: Promise<News>, patience: number, signal: AbortSignal): Promise<News> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', leave)
    }
    const leave = () => {
      stop()
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      stop()
      resolve('go')
    }, patience)
    signal.addEventListener('abort', leave, { once: true })
    news.then(told => {
      stop()
      resolve(told)
    })
  })
}
