// Reads samples with their times from ffmpeg's Matroska output: raw samples carry no clock.
import { readVint } from '../../source/ebml.ts'

/** Samples of the decoder, as it got them from the file. */
export interface Packet {
  /** Milliseconds of the file's clock. */
  time: number
  /** 16-bit little-endian, mono. */
  samples: Buffer
}

/** ffmpeg arguments for a Matroska output that `PacketReader` takes. */
export const packetFormat = ['-c:a', 'pcm_s16le', '-f', 'matroska']

const elements = {
  head: 0x1a45dfa3,
  segment: 0x18538067,
  cluster: 0x1f43b675,
  clusterTime: 0xe7,
  group: 0xa0,
} as const
/** Beside blocks. ffmpeg writes no other id of two or three bytes; text reads like one. */
const mediumIds: readonly number[] = [0x75a1, 0x75a2]
const blocks: readonly number[] = [0xa3, 0xa1]
/** Elements whose content is read as if it stood beside them. */
const opened: readonly number[] = [elements.segment, elements.cluster, elements.group]
/** Track number, time and flags, which a block begins with: ffmpeg writes a single track. */
const blockHeaderBytes = 4

/** The longest head of an element. */
const maxHeadBytes = 4 + 8
const maxTimeBytes = 6
/** ffmpeg writes no element as long as this: such bytes are none of its. */
const maxElementBytes = 2 ** 24

export class PacketReader {
  #rest: Buffer = Buffer.alloc(0)
  #clusterTime = 0
  #hasHead = false
  #isBroken = false

  /** True where the bytes are none of ffmpeg's, as of a wrapper: nothing behind them can be read. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** False where the bytes so far end within an element. */
  get isWhole(): boolean {
    return this.#rest.length === 0
  }

  /** Returns the packets that these bytes complete. */
  read(bytes: Buffer): Packet[] {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes
    const packets: Packet[] = []
    let at = 0
    while (at < data.length) {
      const id = readVint(data, at, true)
      const size = id && readVint(data, at + id.width)
      if (!size) {
        this.#isBroken = data.length - at >= maxHeadBytes
        break
      }
      const start = at + id.width + size.width
      const isOpened = opened.includes(id.value)
      const end = isOpened ? start : start + size.value
      this.#hasHead ||= id.value === elements.head
      this.#isBroken = !this.#hasHead || (!isOpened && !isPlausible(id.value, size.value))
      if (this.#isBroken || end > data.length) break
      if (id.value === elements.clusterTime) this.#clusterTime = data.readUIntBE(start, size.value)
      else if (blocks.includes(id.value))
        packets.push({
          time: this.#clusterTime + data.readInt16BE(start + 1),
          samples: data.subarray(start + blockHeaderBytes, end),
        })
      at = end
    }
    this.#rest = data.subarray(at)
    return packets
  }
}

function isPlausible(id: number, size: number): boolean {
  if (id === elements.clusterTime) return size > 0 && size <= maxTimeBytes
  return (
    (id < 0x100 || (id >= 0x1000_0000 && id < 2 ** 32) || mediumIds.includes(id)) &&
    size <= maxElementBytes &&
    (!blocks.includes(id) || (size >= blockHeaderBytes && size % 2 === 0))
  )
}
