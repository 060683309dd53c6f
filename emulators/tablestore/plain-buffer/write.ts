// Encodes rows in PlainBuffer format.

import type { KeyValue, Value } from '../values.ts'
import { crcByte, crcBytes } from './checksum.ts'
import { HEADER, tags, types } from './read.ts'

/** A row as returned by reads. */
export interface GivenRow {
  key: { name: string; value: KeyValue }[]
  cells: { name: string; value: Value; at?: number }[]
}

/** Encodes rows after one header. Empty without rows, which the client reads as "no row". */
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

/** Returns the checksum of the cell. */
function writeCell(writer: Writer, { name, value, at }: GivenRow['cells'][number]): number {
  writer.byte(tags.cell)
  writer.byte(tags.name)
  const nameBytes = Buffer.from(name)
  writer.count(nameBytes.length)
  writer.raw(nameBytes)
  let crc = crcBytes(0, nameBytes)
  const variant = variantOf(value)
  writer.byte(tags.value)
  writer.count(variant.length)
  writer.raw(variant)
  crc = crcBytes(crc, variant)
  if (at !== undefined) {
    const timestamp = Buffer.alloc(8)
    timestamp.writeBigInt64LE(BigInt(at))
    writer.byte(tags.timestamp)
    writer.raw(timestamp)
    crc = crcBytes(crc, timestamp)
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

  function ensureCapacity(length: number): void {
    if (at + length <= bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(bytes.length * 2, at + length))
    bytes.copy(larger, 0, 0, at)
    bytes = larger
  }

  return {
    byte(value: number): void {
      ensureCapacity(1)
      bytes[at++] = value
    },
    count(value: number): void {
      ensureCapacity(4)
      at = bytes.writeUInt32LE(value, at)
    },
    raw(content: Buffer): void {
      ensureCapacity(content.length)
      at += content.copy(bytes, at)
    },
    finish: () => bytes.subarray(0, at),
  }
}
