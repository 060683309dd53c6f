// Keeps V8's heap near what is alive: on its own, V8 lets it grow to a multiple before it looks for garbage.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * For the whole process. To be repeated after the start of each thread, which sets the young generation's factor back.
 */
export function keepHeapSmall(): void {
  // Hours of audio pass through in small short-lived buffers, for which the young generation would grow to 32 MB.
  setFlagsFromString('--semi-space-growth-factor=1')
  // The old one is searched when half as much as was alive has been added, instead of three times as much.
  setFlagsFromString('--heap-growing-percent=50')
}

type Collect = (options: { type: 'minor' }) => void
let collect: Collect | undefined

/**
 * Frees buffers that were read a moment ago. V8 counts their few bytes on the heap, and so waits until tens of MB of them
 * lie outside. Takes about a millisecond.
 */
export function freeYoungBuffers(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as Collect
    setFlagsFromString('--no-expose-gc')
  }
  collect({ type: 'minor' })
}
