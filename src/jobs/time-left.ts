// How long a call that has begun to wait may still wait. Apart from `watch`, which brings all that runs jobs along.
import type { WatchOptions } from './watch.ts'

/** The options of a wait for what is left of it; `started` is a time of `performance.now()`. */
export function timeLeft<Watch extends Pick<WatchOptions, 'seconds' | 'shortSeconds'>>(
  watch: Watch,
  started: number,
): Watch {
  const waited = (performance.now() - started) / 1000
  const left = (seconds: number | undefined) => seconds && Math.max(0, seconds - waited)
  return { ...watch, seconds: left(watch.seconds), shortSeconds: left(watch.shortSeconds) }
}
