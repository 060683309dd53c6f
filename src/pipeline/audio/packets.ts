// Reads samples with their times from ffmpeg's Matroska output: raw samples carry no clock.
import { readVint } from '../source/ebml.ts'

/** Samples of the decoder, as it got them from the file. */
export interface Packet {
  /** Milliseconds from the start of the file's earliest stream. */
  time: number
  /** 16-bit little-endian, mono. */
  samples: Buffer
}

/** ffmpeg arguments for a Matroska output that `PacketReader` takes. */
export const packetFormat = ['-c:a', 'pcm_s16le', '-f', 'matroska']

const elements = { segment: 0x18538067, cluster: 0x1f43b675, clusterTime: 0xe7, group: 0xa0 } as const
const blocks: readonly number[] = [0xa3, 0xa1]
/** Elements whose content is read as if it stood beside them. */
const opened: readonly number[] = [elements.segment, elements.cluster, elements.group]
/** Track number, time and flags, which a block begins with: ffmpeg writes a single track. */
const blockHeaderBytes = 4

export class PacketReader {
  #rest: Buffer = Buffer.alloc(0)
  #clusterTime = 0

  /** Returns the packets that these bytes complete. */
  read(bytes: Buffer): Packet[] {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes
    const packets: Packet[] = []
    let at = 0
    for (;;) {
      const id = readVint(data, at, true)
      const size = id && readVint(data, at + id.width)
      if (!size) break
      const start = at + id.width + size.width
      const isOpened = opened.includes(id.value)
      const end = isOpened ? start : start + size.value
      if (end > data.length) break
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
