// CRC-8 of cells and rows, polynomial x8 + x2 + x + 1.

const table = Uint8Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff
  return crc
})

export function crcByte(crc: number, byte: number): number {
  return table[crc ^ byte]!
}

export function crcBytes(crc: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
  let sum = crc
  for (let index = from; index < to; index++) sum = table[sum ^ bytes[index]!]!
  return sum
}
