// One line for all who ask about tasks: so many a second, evenly, however many there are.

export interface Pacer {
  /** Resolves when its turn comes; rejects with the signal's reason if that comes first. */
  turn(signal: AbortSignal): Promise<void>
  /** The provider has throttled: nobody's turn comes for a while. */
  hold(): void
}

/** In milliseconds. */
const pause = 1_000

export function createPacer(perSecond: number): Pacer {
  const line: (() => void)[] = []
  let free = 0
  let timer: NodeJS.Timeout | undefined

  function next(): void {
    clearTimeout(timer)
    if (line.length === 0) return
    const wait = Math.ceil(free - performance.now())
    if (wait <= 0) {
      // From now and not from when it was due: a process that was held up must not make up for it at once.
      free = performance.now() + 1000 / perSecond
      line.shift()!()
      next()
    } else timer = setTimeout(next, wait)
  }

  return {
    turn: signal =>
      new Promise((resolve, reject) => {
        const start = () => {
          signal.removeEventListener('abort', leave)
          resolve()
        }
        const leave = () => {
          line.splice(line.indexOf(start), 1)
          reject(signal.reason)
        }
        if (signal.aborted) return reject(signal.reason)
        signal.addEventListener('abort', leave, { once: true })
        line.push(start)
        next()
      }),
    hold() {
      free = Math.max(free, performance.now() + pause)
    },
  }
}
