// Decodes rows in PlainBuffer format, strictly.
import { isUtf8 } from 'node:buffer'
import { invalid } from '../errors.ts'
import { type Bound, INF_MAX, INF_MIN, type Value } from '../values.ts'
import { crcByte, crcBytes } from './checksum.ts'

export const HEADER = 0x75

export const tags = {
  key: 0x01,
  data: 0x02,
  cell: 0x03,
  name: 0x04,
  value: 0x05,
  operation: 0x06,
  timestamp: 0x07,
  deleted: 0x08,
  rowChecksum: 0x09,
  cellChecksum: 0x0a,
} as const

export const types = {
  integer: 0x0,
  double: 0x1,
  boolean: 0x2,
  string: 0x3,
  blob: 0x7,
  least: 0x9,
  most: 0xa,
} as const

export const operations = { deleteAll: 1, deleteOne: 3, increment: 4 } as const

export interface Cell {
  name: string
  value?: Value
  /** One of `operations`. */
  operation?: number
  /** Milliseconds since 1970. */
  at?: number
}

export interface PlainRow {
  key: { name: string; value: Bound }[]
  cells: Cell[]
  deleted: boolean
}

/** Decodes a row. Throws `OTSParameterInvalid` for a wrong tag, length or checksum. */
export function readRow(bytes: Uint8Array): PlainRow {
  const reader = createReader(bytes)
  const header = reader.count()
  if (header !== HEADER) {
    throw invalid(`Cell data broken, mismatch header, actual: ${header}, expect: ${HEADER}.`)
  }
  const row: PlainRow = { key: [], cells: [], deleted: false }
  let crc = 0
  reader.expect(tags.key)
  while (reader.peek() === tags.cell) {
    const { cell, checksum } = readCell(reader)
    row.key.push(keyOf(cell))
    crc = crcByte(crc, checksum)
  }
  if (row.key.length === 0) throw invalid('Cell data broken, PK is empty.')
  if (reader.accept(tags.data)) {
    if (reader.peek() !== tags.cell) throw invalid('Cell data broken, no Cells follow CellTag.')
    while (reader.peek() === tags.cell) {
      const { cell, checksum } = readCell(reader)
      row.cells.push(attributeOf(cell))
      crc = crcByte(crc, checksum)
    }
  }
  row.deleted = reader.accept(tags.deleted)
  crc = crcByte(crc, row.deleted ? 1 : 0)
  reader.expect(tags.rowChecksum)
  reader.checksum(crc)
  // The client overestimates the size of some rows and pads with zeros.
  if (!reader.isBlank()) throw invalid("Cell data broken, has more data in cell, but they can't be parsed.")
  return row
}

/** Decodes the single value of a filter or a search. */
export function readVariant(bytes: Uint8Array): Value {
  const reader = createReader(bytes)
  const value = readValue(reader)
  if (!reader.isAtEnd() || typeof value === 'symbol') throw invalid('data format is invalid.')
  return value
}

interface ReadCell extends Omit<Cell, 'value'> {
  value?: Bound | Value
}

function readCell(reader: Reader): { cell: ReadCell; checksum: number } {
  reader.expect(tags.cell)
  reader.expect(tags.name)
  const name = reader.take(reader.count())
  const cell: ReadCell = { name: utf8(name) }
  let checksum = crcBytes(0, name)
  if (reader.accept(tags.value)) {
    const length = reader.count()
    const from = reader.at()
    cell.value = readValue(reader)
    if (reader.at() !== from + length) throw invalid('data format is invalid.')
    checksum = crcBytes(checksum, reader.bytes, from, from + length)
  }
  if (reader.accept(tags.operation)) cell.operation = reader.byte()
  if (reader.accept(tags.timestamp)) {
    const stamp = reader.take(8)
    cell.at = Number(stamp.readBigInt64LE())
    checksum = crcBytes(checksum, stamp)
  }
  // Encoded before the timestamp, but included in the checksum after it.
  if (cell.operation !== undefined) checksum = crcByte(checksum, cell.operation)
  reader.expect(tags.cellChecksum)
  reader.checksum(checksum)
  return { cell, checksum }
}

function keyOf({ name, value, operation, at }: ReadCell): PlainRow['key'][number] {
  if (value === undefined) throw invalid(`Cell data broken, PK value cannot be NULL, name: ${name}.`)
  if (operation !== undefined) throw invalid(`OpType cannot be given for primary key name: ${name}.`)
  if (at !== undefined) throw invalid(`Timestamp cannot be given for primary key name: ${name}.`)
  if (typeof value === 'number' || typeof value === 'boolean') {
    throw invalid('Invalid column type, only STRING,INTEGER,BINARY is allowed.')
  }
  return { name, value }
}

function attributeOf(cell: ReadCell): Cell {
  if (typeof cell.value === 'symbol') throw invalid('data format is invalid, unknown variant type occured.')
  return cell as Cell
}

function readValue(reader: Reader): Bound | Value {
  const type = reader.byte()
  if (type === types.integer) return reader.take(8).readBigInt64LE()
  if (type === types.double) return finite(reader.take(8).readDoubleLE())
  if (type === types.boolean) return reader.byte() !== 0
  if (type === types.string) return utf8(reader.take(reader.count()))
  // Copied, so that a small value does not keep the whole request in memory.
  if (type === types.blob) return Buffer.from(reader.take(reader.count()))
  if (type === types.least) return INF_MIN
  if (type === types.most) return INF_MAX
  throw invalid('data format is invalid, unknown variant type occured.')
}

function finite(value: number): number {
  if (Number.isNaN(value)) throw invalid("NaN can't be set to double value.")
  if (!Number.isFinite(value)) throw invalid("Infinity can't be set to double value.")
  return value
}

function utf8(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw invalid(`Cell data broken, wrong string format, size: ${bytes.length}.`)
  return bytes.toString('utf8')
}

type Reader = ReturnType<typeof createReader>

function createReader(given: Uint8Array) {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.length)
  let at = 0

  function byte(): number {
    if (at >= bytes.length) throw invalid('Cell data broken, length is shorter than expect.')
    return bytes[at++]!
  }

  function take(length: number): Buffer {
    if (at + length > bytes.length) throw invalid('Cell data broken, length is shorter than expect.')
    at += length
    return bytes.subarray(at - length, at)
  }

  return {
    bytes,
    byte,
    take,
    at: () => at,
    peek: () => bytes[at],
    count: () => take(4).readUInt32LE(),
    accept(tag: number): boolean {
      if (bytes[at] !== tag) return false
      at++
      return true
    },
    expect(tag: number): void {
      const actual = byte()
      if (actual !== tag) {
        throw invalid(`Cell data broken, mismatch tag, actual tag(${actual}), expect(${tag}).`)
      }
    },
    checksum(expected: number): void {
      const actual = byte()
      if (actual !== expected)
        throw invalid(`Cell data broken, checksum is mismatch, ${actual} : ${expected}.`)
    },
    isAtEnd: () => at === bytes.length,
    isBlank: () => bytes.subarray(at).every(rest => rest === 0),
  }
}
