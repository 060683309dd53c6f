// Turns of each owner, for answers that fill memory until their clients have read them.
import pLimit, { type LimitFunction } from 'p-limit'

export interface Turn {
  owner: string
  /** Called once the response is sent or the client has disconnected, also if that has happened already. */
  onEnd(callback: () => void): void
}

/** The returned function resolves when the owner may have one more answer; that turn ends with the response. */
export function createTurns(maxAtOnce: number, maxWaiting = Number.POSITIVE_INFINITY) {
  const turns = new Map<string, LimitFunction>()
  /** Resolves with false, at once, where too many wait. */
  return ({ owner, onEnd }: Turn): Promise<boolean> => {
    const inTurn = turns.get(owner) ?? pLimit(maxAtOnce)
    turns.set(owner, inTurn)
    if (inTurn.pendingCount >= maxWaiting) return Promise.resolve(false)
    return new Promise(resolve => {
      void inTurn(
        () =>
          new Promise<void>(end => {
            onEnd(end)
            resolve(true)
          }),
      )
    })
  }
}
