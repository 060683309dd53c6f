// Kinds of files that consist of frames which follow each other, and the lengths of their frames.

/** The length of a frame is known by so many of its bytes. */
export const frameHeaderBytes = 282

export interface FrameKind {
  name: 'ogg' | 'amr' | 'flv' | 'aac' | 'mp3' | 'ac3' | 'dts' | 'loas' | 'ts' | 'ps' | 'gsm'
  /** Length in bytes of the frame at this position; 0 where none begins. Needs `frameHeaderBytes`. */
  frameBytes(bytes: Buffer, at: number): number
  /** The file begins with this text, and its frames at this position. */
  start?: [text: string, frames: number]
  /** Frames that must follow each other for the file to be of this kind: more for those that are hard to tell. */
  evidence?: number
  /** True for the frames that a file begins with, one for each of its tracks. */
  isHead?(bytes: Buffer, at: number): boolean
  /** Only sound, without a byte between the frames, even where files were joined: any other byte is damage. */
  isExact?: boolean
}

const narrowBand = [12, 13, 15, 17, 19, 20, 26, 31, 5, -1, -1, -1, -1, -1, -1, 0]
const wideBand = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, -1, -1, -1, -1, 0, 0]
const amr = (sizes: readonly number[]) => (bytes: Buffer, at: number) =>
  bytes[at]! & 0x83 ? 0 : 1 + sizes[(bytes[at]! >> 3) & 15]!
const packet = (length: number, before: number) => (bytes: Buffer, at: number) =>
  bytes[at + before] === 0x47 && bytes[at + before + 1] !== 0x47 ? length : 0

/** AC-3 and E-AC-3, by ETSI TS 102 366: sizes go by the rates of samples and bits. */
const ac3KiloBits = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640]
function ac3Bytes(bytes: Buffer, at: number): number {
  if (bytes.readUInt16BE(at) !== 0x0b77) return 0
  if (bytes[at + 5]! >> 3 > 10) return 2 * ((bytes.readUInt16BE(at + 2) & 0x7ff) + 1)
  const code = bytes[at + 4]! & 63
  const rate = [48_000, 44_100, 32_000][bytes[at + 4]! >> 6]
  const kiloBits = ac3KiloBits[code >> 1]
  if (!rate || !kiloBits) return 0
  return 2 * (Math.floor((kiloBits * 96_000) / rate) + (rate === 44_100 ? code & 1 : 0))
}

/** By the bits of version and layer: versions 2 and 2.5 have the same, as do their layers II and III. */
const mpegKiloBits: Record<number, readonly number[]> = {
  33: Array.from({ length: 14 }, (_, i) => 32 * (i + 1)),
  32: [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  31: [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  23: [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  21: [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}

/** MPEG audio 1, 2 and 2.5. */
function mpegBytes(bytes: Buffer, at: number): number {
  const head = bytes.readUInt32BE(at)
  const [version, layer] = [(head >> 19) & 3, (head >> 17) & 3]
  if (head >>> 21 !== 0x7ff || version === 1 || layer === 0) return 0
  const kiloBits = mpegKiloBits[version === 3 ? 30 + layer : layer === 3 ? 23 : 21]![((head >> 12) & 15) - 1]
  const rate = [44_100, 48_000, 32_000][(head >> 10) & 3]
  if (!rate || !kiloBits) return 0
  const hertz = version === 3 ? rate : version === 2 ? rate / 2 : rate / 4
  const padding = (head >> 9) & 1
  if (layer === 3) return 4 * (Math.floor((12_000 * kiloBits) / hertz) + padding)
  return Math.floor(((layer === 1 && version !== 3 ? 72_000 : 144_000) * kiloBits) / hertz) + padding
}

function oggBytes(bytes: Buffer, at: number): number {
  if (bytes.readUInt32BE(at) !== 0x4f676753) return 0
  const segments = bytes.subarray(at + 27, at + 27 + bytes[at + 26]!)
  return segments.reduce((sum, length) => sum + length, 27 + segments.length)
}

/** Packs and packets of MPEG-PS; the end code may stand anywhere. */
function programBytes(bytes: Buffer, at: number): number {
  if (bytes.readUIntBE(at, 3) !== 1 || bytes[at + 3]! < 0xb9) return 0
  if (bytes[at + 3] === 0xb9) return 4
  if (bytes[at + 3] !== 0xba) return 6 + bytes.readUInt16BE(at + 4)
  return bytes[at + 4]! >> 6 === 1 ? 14 + (bytes[at + 13]! & 7) : 12
}

export const frameKinds: readonly FrameKind[] = [
  { name: 'ogg', frameBytes: oggBytes, isHead: (bytes, at) => (bytes[at + 5]! & 2) > 0, isExact: true },
  { name: 'amr', frameBytes: amr(narrowBand), start: ['#!AMR\n', 6], isExact: true },
  { name: 'amr', frameBytes: amr(wideBand), start: ['#!AMR-WB\n', 9], isExact: true },
  {
    name: 'flv',
    frameBytes: (bytes, at) =>
      [8, 9, 18].includes(bytes[at]!) && bytes.readUIntBE(at + 8, 3) === 0
        ? 15 + bytes.readUIntBE(at + 1, 3)
        : 0,
    start: ['FLV', 13],
  },
  {
    // ADTS.
    name: 'aac',
    frameBytes: (bytes, at) =>
      (bytes.readUInt16BE(at) & 0xfff6) === 0xfff0 ? (bytes.readUIntBE(at + 3, 3) >> 5) & 0x1fff : 0,
    evidence: 3,
    isExact: true,
  },
  { name: 'mp3', frameBytes: mpegBytes, evidence: 3 },
  { name: 'ac3', frameBytes: ac3Bytes, isExact: true },
  {
    name: 'dts',
    frameBytes: (bytes, at) =>
      bytes.readUInt32BE(at) === 0x7ffe8001 ? ((bytes.readUIntBE(at + 5, 3) >> 4) & 0x3fff) + 1 : 0,
    isExact: true,
  },
  {
    name: 'loas',
    frameBytes: (bytes, at) =>
      bytes.readUInt16BE(at) >> 5 === 0x2b7 ? 3 + (bytes.readUInt16BE(at + 1) & 0x1fff) : 0,
    evidence: 3,
    isExact: true,
  },
  { name: 'ts', frameBytes: packet(188, 0), evidence: 5 },
  { name: 'ts', frameBytes: packet(192, 4), evidence: 5 },
  { name: 'ts', frameBytes: packet(204, 0), evidence: 5 },
  { name: 'ps', frameBytes: programBytes },
  // GSM has no header; each of its frames begins with the same four bits.
  { name: 'gsm', frameBytes: (bytes, at) => (bytes[at]! >> 4 === 0xd ? 33 : 0), evidence: 10, isExact: true },
]
