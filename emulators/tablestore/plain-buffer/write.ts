// Writes rows as the protocol carries them, PlainBuffer.

import type { KeyValue, Value } from '../values.ts'
import { crcByte, crcBytes } from './checksum.ts'
import { HEADER, tags, types } from './read.ts'

/** A row as it is read: nothing to be done with its cells. */
export interface GivenRow {
  key: { name: string; value: KeyValue }[]
  cells: { name: string; value: Value; at?: number }[]
}

/** One row or many: the header comes once. Empty where there is none, which is how the client reads "no row". */
export function writeRows(rows: GivenRow[]): Buffer {
  if (rows.length === 0) return Buffer.alloc(0)
  const writer = createWriter()
  writer.count(HEADER)
  for (const row of rows) writeRow(writer, row)
  return writer.finish()
}

function writeRow(writer: Writer, { key, cells }: GivenRow): void {
  let crc = 0
  writer.byte(tags.key)
  for (const cell of key) crc = crcByte(crc, writeCell(writer, cell))
  if (cells.length > 0) writer.byte(tags.data)
  for (const cell of cells) crc = crcByte(crc, writeCell(writer, cell))
  writer.byte(tags.rowChecksum)
  writer.byte(crcByte(crc, 0))
}

/** Answers with its checksum. */
function writeCell(writer: Writer, { name, value, at }: GivenRow['cells'][number]): number {
  writer.byte(tags.cell)
  writer.byte(tags.name)
  const title = Buffer.from(name)
  writer.count(title.length)
  writer.raw(title)
  let crc = crcBytes(0, title)
  const variant = variantOf(value)
  writer.byte(tags.value)
  writer.count(variant.length)
  writer.raw(variant)
  crc = crcBytes(crc, variant)
  if (at !== undefined) {
    const stamp = Buffer.alloc(8)
    stamp.writeBigInt64LE(BigInt(at))
    writer.byte(tags.timestamp)
    writer.raw(stamp)
    crc = crcBytes(crc, stamp)
  }
  writer.byte(tags.cellChecksum)
  writer.byte(crc)
  return crc
}

function variantOf(value: Value): Buffer {
  if (typeof value === 'boolean') return Buffer.from([types.boolean, value ? 1 : 0])
  if (typeof value === 'bigint' || typeof value === 'number') {
    const variant = Buffer.alloc(9)
    variant[0] = typeof value === 'bigint' ? types.integer : types.double
    if (typeof value === 'bigint') variant.writeBigInt64LE(value, 1)
    else variant.writeDoubleLE(value, 1)
    return variant
  }
  const content = typeof value === 'string' ? Buffer.from(value) : value
  const variant = Buffer.allocUnsafe(5 + content.length)
  variant[0] = typeof value === 'string' ? types.string : types.blob
  variant.writeUInt32LE(content.length, 1)
  content.copy(variant, 5)
  return variant
}

type Writer = ReturnType<typeof createWriter>

function createWriter() {
  let bytes = Buffer.allocUnsafe(1024)
  let at = 0

  function room(length: number): void {
    if (at + length <= bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(bytes.length * 2, at + length))
    bytes.copy(larger, 0, 0, at)
    bytes = larger
  }

  return {
    byte(value: number): void {
      room(1)
      bytes[at++] = value
    },
    count(value: number): void {
      room(4)
      at = bytes.writeUInt32LE(value, at)
    },
    raw(content: Buffer): void {
      room(content.length)
      at += content.copy(bytes, at)
    },
    finish: () => bytes.subarray(0, at),
  }
}
