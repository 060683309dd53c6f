// Splits a stream of bytes into lines of bounded length.

/** Bytes kept of each end of a line that is too long: enough to find the id of its request. */
const keptBytes = 500

/** A line without its end; of a line that is too long only its first and last bytes. */
export type Line = { bytes: Buffer } | { head: Buffer; tail: Buffer }

/** Ends with the stream; a last line without an end counts. Holds at most `maxBytes` and one piece of the stream. */
export async function* readLines(input: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  let line = startLine(maxBytes)
  for await (const piece of input) {
    let from = 0
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      line.add(piece.subarray(from, end))
      yield line.end()
      line = startLine(maxBytes)
      from = end + 1
    }
    line.add(piece.subarray(from))
  }
  yield line.end()
}

function startLine(maxBytes: number) {
  let pieces: Buffer[] = []
  let length = 0
  /** Set once the line is too long. */
  let head: Buffer | undefined
  return {
    add(piece: Buffer): void {
      length += piece.length
      pieces.push(piece)
      if (length <= maxBytes) return
      const all = Buffer.concat(pieces)
      head ??= Buffer.from(all.subarray(0, keptBytes))
      pieces = [Buffer.from(all.subarray(-keptBytes))]
    },
    end(): Line {
      const bytes = Buffer.concat(pieces)
      return head ? { head, tail: bytes } : { bytes }
    },
  }
}
