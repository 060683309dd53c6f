// Reads a file in blocks of memory that is used again: to fill new memory takes several times as long as to read.
import { open } from 'node:fs/promises'

/** Larger ones are not faster, and hold the event loop longer where they are hashed. */
const blockBytes = 1 << 18

/**
 * Yields the bytes of a file in order; a block keeps them until the next one is asked for, which is read meanwhile.
 * Throws the errors of the operating system, and the signal's reason.
 */
export async function* fileBlocks(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  signal.throwIfAborted()
  const file = await open(path)
  try {
    let block = Buffer.allocUnsafeSlow(blockBytes)
    let spare = Buffer.allocUnsafeSlow(blockBytes)
    let reading = file.read(block, 0, blockBytes)
    for (;;) {
      const { bytesRead } = await reading
      signal.throwIfAborted()
      if (bytesRead === 0) return
      reading = file.read(spare, 0, blockBytes)
      // Its reader may leave before it asks for the next block.
      reading.catch(() => {})
      yield block.subarray(0, bytesRead)
      const filled = spare
      spare = block
      block = filled
    }
  } finally {
    await file.close()
  }
}
