// Memory for the MP3 of chunks, used again once they are recognised: V8 would let some MB of it lie as garbage.

export class Mp3Memory {
  readonly #free: ArrayBufferLike[] = []

  take(length: number): Buffer {
    const at = this.#free.findIndex(each => each.byteLength >= length)
    // One that is too short makes way: there are never more than are in use at a time.
    const [free] = this.#free.splice(Math.max(0, at), 1)
    const memory = free && at >= 0 ? free : Buffer.allocUnsafeSlow(length).buffer
    return Buffer.from(memory, 0, length)
  }

  release(audio: Buffer): void {
    this.#free.push(audio.buffer)
  }
}
