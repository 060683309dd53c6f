// Reads the packets of a Matroska file, and writes them with other times: what recorders and calls leave behind.
import { readVint } from '../../src/pipeline/source/ebml.ts'
import { element, float, unknownSize } from '../../test/support/audio/timed-matroska.ts'

/** Times are seconds. */
export interface Packet {
  time: number
  end: number
  data: Buffer
}

export interface EncodedTrack {
  /** Elements that describe the track, without its number and its id. */
  entry: Buffer
  packets: Packet[]
}

export interface TrackToWrite extends EncodedTrack {
  title?: string
}

const ids = {
  segment: 0x18538067,
  cluster: 0x1f43b675,
  clusterTime: 0xe7,
  group: 0xa0,
  block: 0xa1,
  simpleBlock: 0xa3,
  tracks: 0x1654ae6b,
  track: 0xae,
  number: 0xd7,
  uid: 0x73c5,
} as const
const opened: readonly number[] = [ids.segment, ids.cluster, ids.group, ids.tracks]
const clusterSeconds = 1

/** Tracks in the order of the file, with packets in its order; the last one of a track is as long as the one before. */
export function readMatroska(bytes: Buffer): EncodedTrack[] {
  const tracks = new Map<number, EncodedTrack>()
  let clusterTime = 0
  for (const { id, start, end } of elementsOf(bytes)) {
    if (id === ids.clusterTime) clusterTime = bytes.readUIntBE(start, end - start)
    if (id === ids.track) {
      const parts = [...elementsOf(bytes.subarray(start, end))]
      const number = parts.find(part => part.id === ids.number)!
      const kept = parts.filter(part => part.id !== ids.number && part.id !== ids.uid)
      const entry = Buffer.concat(kept.map(part => bytes.subarray(start + part.from, start + part.end)))
      tracks.set(bytes[start + number.start]!, { entry, packets: [] })
    }
    if (id !== ids.block && id !== ids.simpleBlock) continue
    const time = (clusterTime + bytes.readInt16BE(start + 1)) / 1000
    const { packets } = tracks.get(bytes[start]! & 0x7f)!
    const last = packets.at(-1)
    if (last) last.end = time
    const length = last ? time - last.time : 0
    packets.push({ time, end: time + length, data: bytes.subarray(start + 4, end) })
  }
  return [...tracks.values()]
}

function* elementsOf(bytes: Buffer): Generator<{ id: number; from: number; start: number; end: number }> {
  for (let at = 0; at < bytes.length; ) {
    const id = readVint(bytes, at, true)
    const size = id && readVint(bytes, at + id.width)
    if (!size) return
    const start = at + id.width + size.width
    const end = size.unknown ? bytes.length : start + size.value
    yield { id: id.value, from: at, start, end }
    at = opened.includes(id.value) ? start : end
  }
}

/** `seconds`: the length that its header tells; without it, a live recording of unknown size. */
export function writeMatroska(
  tracks: readonly TrackToWrite[],
  { seconds, type = 'matroska' }: { seconds?: number; type?: string } = {},
): Buffer {
  const length = seconds === undefined ? [] : [element('4489', float(seconds * 1000))]
  const entries = tracks.map(({ entry, title }, i) => {
    const own = [element('d7', [i + 1]), element('73c5', [i + 1])]
    const name = title === undefined ? [] : [element('536e', Buffer.from(title))]
    return element('ae', Buffer.concat([...own, ...name, entry]))
  })
  const content = Buffer.concat([
    element('1549a966', Buffer.concat([element('2ad7b1', [0x0f, 0x42, 0x40]), ...length])),
    element('1654ae6b', Buffer.concat(entries)),
    ...clusters(tracks),
  ])
  const head = element('1a45dfa3', element('4282', Buffer.from(type)))
  if (seconds !== undefined) return Buffer.concat([head, element('18538067', content)])
  return Buffer.concat([head, Buffer.from('18538067', 'hex'), unknownSize, content])
}

function* clusters(tracks: readonly TrackToWrite[]): Generator<Buffer> {
  const all = tracks.flatMap(({ packets }, i) => packets.map(packet => ({ ...packet, number: i + 1 })))
  all.sort((a, b) => a.time - b.time)
  for (let at = 0; at < all.length; ) {
    const start = Math.round(all[at]!.time * 1000)
    const time = Buffer.alloc(8)
    time.writeBigUInt64BE(BigInt(start))
    const blocks: Buffer[] = []
    for (; at < all.length && all[at]!.time * 1000 < start + clusterSeconds * 1000; at++) {
      const { number, time, data } = all[at]!
      const head = Buffer.from([0x80 | number, 0, 0, 0x80])
      head.writeInt16BE(Math.round(time * 1000) - start, 1)
      blocks.push(element('a3', Buffer.concat([head, data])))
    }
    yield element('1f43b675', Buffer.concat([element('e7', time), ...blocks]))
  }
}
