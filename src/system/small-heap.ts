// Keeps V8's heap near what is alive: on its own, V8 lets it grow to a multiple before it looks for garbage.
import { setFlagsFromString } from 'node:v8'

/**
 * For the whole process. To be repeated after the start of each thread, which sets the young generation's factor back.
 */
export function keepHeapSmall(): void {
  // Hours of audio pass through in small short-lived buffers, for which the young generation would grow to 32 MB.
  setFlagsFromString('--semi-space-growth-factor=1')
  // The old one is searched when half as much as was alive has been added, instead of three times as much.
  setFlagsFromString('--heap-growing-percent=50')
}
