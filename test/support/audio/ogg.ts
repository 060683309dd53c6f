// Changes pages of an Ogg file.

/** By the format: the polynomial 0x04c11db7, from the highest bit, begun with 0. */
function checksum(bytes: Buffer): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  return crc >>> 0
}

/** A copy in which the position of one page, counted from 0, is higher by so many samples. */
export function withPositionOff(file: Buffer, page: number, samples: number, isValid: boolean): Buffer {
  const bytes = Buffer.from(file)
  let at = 0
  for (let number = 0; number < page; number++) at = bytes.indexOf('OggS', at + 4)
  const next = bytes.indexOf('OggS', at + 4)
  bytes.writeBigInt64LE(bytes.readBigInt64LE(at + 6) + BigInt(samples), at + 6)
  if (isValid) {
    const whole = bytes.subarray(at, next < 0 ? undefined : next)
    whole.writeUInt32LE(0, 22)
    whole.writeUInt32LE(checksum(whole), 22)
  }
  return bytes
}
