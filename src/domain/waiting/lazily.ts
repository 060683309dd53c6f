// Loads something with the first call and keeps it; what has failed once is tried again with the next call.

export interface Lazy<T> {
  /** The calls of one try share its result, or its error. */
  get(): Promise<T>
  /** Undefined where nothing was loaded, or nothing could be. Does not throw. */
  loaded(): Promise<T | undefined>
}

export function lazily<T>(load: () => Promise<T>): Lazy<T> {
  let kept: Promise<T> | undefined
  return {
    get() {
      kept ??= load().catch(error => {
        kept = undefined
        throw error
      })
      return kept
    },
    loaded: async () => kept?.catch(() => undefined),
  }
}
