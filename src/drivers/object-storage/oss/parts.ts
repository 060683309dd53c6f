// Cuts a stream into the parts of an upload, as it comes.

/** OSS takes 10,000 parts of at least 100 KB (OSS reference, multipart upload). */
const smallestPart = 1 << 20
const partsOfASize = 1000

/** Every thousandth part they grow by 1 MB: half a day at any bit rate stays far below 10,000, and the first is sent soon. */
export function partBytes(number: number): number {
  return smallestPart * (1 + Math.floor((number - 1) / partsOfASize))
}

/** One part after the other; the last one is what is left, and `isLast` is true for it alone. Nothing is one empty part. */
export async function* cutIntoParts(
  stream: AsyncIterable<Buffer>,
): AsyncGenerator<{ number: number; bytes: Buffer; isLast: boolean }> {
  let number = 1
  let pieces: Buffer[] = []
  let size = 0
  for await (let piece of stream) {
    // A full part is kept until more comes: it may be the last.
    while (size + piece.length > partBytes(number)) {
      const room = partBytes(number) - size
      const bytes = Buffer.concat([...pieces, piece.subarray(0, room)])
      yield { number, bytes, isLast: false }
      number++
      piece = piece.subarray(room)
      pieces = []
      size = 0
    }
    // The stream may use its memory again.
    pieces.push(Buffer.from(piece))
    size += piece.length
  }
  yield { number, bytes: Buffer.concat(pieces), isLast: true }
}
