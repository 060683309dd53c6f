// Reads rows from the bytes of a damaged SQLite file and its log, without SQLite: what is whole on each page.
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { erasingId } from '../schema.ts'

/** A column: text and blobs are bytes. */
export type Column = Uint8Array | number | null | undefined

export interface Row {
  /** The `rowid`; undefined for rows of an index. */
  number: number | undefined
  columns: Column[]
}

export interface Pages {
  count: number
  /** The readable rows of tables and indexes on a page, counted from 1. Never throws. */
  rowsOf(page: number): Iterable<Row>
  close(): void
}

const headerBytes = 100
const interiorIndex = 2
const leafIndex = 10
const leafTable = 13

/** Undefined for a file of an older version, in which deleted rows were not overwritten. Throws on I/O errors. */
export async function openPages(path: string): Promise<Pages | undefined> {
  const log = await pagesOfLog(`${path}-wal`)
  const file = openSync(path, 'r')
  const close = () => closeSync(file)
  const header = log.get(1) ?? Buffer.alloc(headerBytes)
  if (!log.has(1)) readSync(file, header, 0, headerBytes, 0)
  const isNamed = header.toString('latin1', 0, 15) === 'SQLite format 3'
  if (isNamed && header.readUInt32BE(68) !== erasingId) {
    close()
    return undefined
  }
  const given = header.readUInt16BE(16)
  const size = given >= 512 && (given & (given - 1)) === 0 ? given : 4096
  let count = Math.ceil(fstatSync(file).size / size)
  for (const page of log.keys()) count = Math.max(count, page)

  function read(page: number): Buffer {
    const logged = log.get(page)
    if (logged) return logged
    const bytes = Buffer.alloc(size)
    readSync(file, bytes, 0, size, (page - 1) * size)
    return bytes
  }

  /** A record, whose end may lie on a chain of other pages. */
  function record(page: Buffer, at: number, length: number, maxLocal: number): Buffer {
    if (length > count * size) throw new RangeError('longer than the file')
    if (length <= maxLocal) return page.subarray(at, at + length)
    const min = Math.trunc(((size - 12) * 32) / 255) - 23
    const fitting = min + ((length - min) % (size - 4))
    const local = fitting <= maxLocal ? fitting : min
    const parts = [page.subarray(at, at + local)]
    let next = page.readUInt32BE(at + local)
    for (let rest = length - local; rest > 0; rest -= size - 4) {
      if (next < 2 || next > count) break
      const more = read(next)
      parts.push(more.subarray(4, 4 + Math.min(rest, size - 4)))
      next = more.readUInt32BE(0)
    }
    return Buffer.concat(parts)
  }

  function rowAt(page: Buffer, start: number): Row {
    const kind = page[0]
    let at = start + (kind === interiorIndex ? 4 : 0)
    const varint = () => {
      const [value, end] = varintAt(page, at)
      at = end
      return value
    }
    const length = varint()
    const number = kind === leafTable ? varint() : undefined
    const maxLocal = kind === leafTable ? size - 35 : Math.trunc(((size - 12) * 64) / 255) - 23
    return { number, columns: columnsOf(record(page, at, length, maxLocal)) }
  }

  return {
    count,
    *rowsOf(number) {
      const page = read(number)
      const kind = page[0]!
      if (number === 1 || ![interiorIndex, leafIndex, leafTable].includes(kind)) return
      const pointers = kind === interiorIndex ? 12 : 8
      const cells = Math.min(page.readUInt16BE(3), (size - pointers) >> 1)
      for (let i = 0; i < cells; i++) {
        try {
          yield rowAt(page, page.readUInt16BE(pointers + 2 * i))
        } catch {
          // Other cells of the page may be whole.
        }
      }
    },
    close,
  }
}

/** Columns after damage are undefined. */
function columnsOf(record: Buffer): Column[] {
  const [headerEnd, start] = varintAt(record, 0)
  const columns: Column[] = []
  for (let at = start, from = headerEnd; at < headerEnd; ) {
    const [type, end] = varintAt(record, at)
    const length = type >= 12 ? (type - (type & 1) - 12) / 2 : ([0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? 0)
    columns.push(
      from + length <= record.length ? decoded(type, record.subarray(from, from + length)) : undefined,
    )
    from += length
    at = end
  }
  return columns
}

function decoded(type: number, bytes: Buffer): Column {
  if (type === 0) return null
  if (type === 8 || type === 9) return type - 8
  if (type === 7) return bytes.readDoubleBE(0)
  if (type >= 12) return bytes
  return bytes.length > 6 ? Number(bytes.readBigInt64BE(0)) : bytes.readIntBE(0, bytes.length)
}

/** The number at a place, and the place after it. Throws `RangeError`. */
function varintAt(bytes: Buffer, start: number): [number, number] {
  let value = 0
  for (let at = start; at < start + 9; at++) {
    const byte = bytes.readUInt8(at)
    if (at === start + 8) return [value * 256 + byte, at + 1]
    value = value * 128 + (byte & 127)
    if (byte < 128) return [value, at + 1]
  }
  throw new RangeError('no number')
}

/** The newest committed pages of a write-ahead log, as far as its checksums fit. */
async function pagesOfLog(path: string): Promise<Map<number, Buffer>> {
  const committed = new Map<number, Buffer>()
  const pending = new Map<number, Buffer>()
  const log = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  const size = log.length < 32 ? 0 : log.readUInt32BE(8)
  if (size < 512 || size % 8) return committed
  const words = log.readUInt32BE(0) & 1 ? 'readUInt32BE' : 'readUInt32LE'
  let [one, two] = [0, 0]
  const add = (bytes: Buffer) => {
    for (let i = 0; i < bytes.length; i += 8) {
      one = (one + bytes[words](i) + two) >>> 0
      two = (two + bytes[words](i + 4) + one) >>> 0
    }
  }
  add(log.subarray(0, 24))
  for (let at = 32; at + 24 + size <= log.length; at += 24 + size) {
    const page = log.subarray(at + 24, at + 24 + size)
    add(log.subarray(at, at + 8))
    add(page)
    const isSame = log.compare(log, 16, 24, at + 8, at + 16) === 0
    if (!isSame || log.readUInt32BE(at + 16) !== one || log.readUInt32BE(at + 20) !== two) break
    pending.set(log.readUInt32BE(at), page)
    if (log.readUInt32BE(at + 4) === 0) continue
    await setImmediate()
    for (const [number, bytes] of pending) committed.set(number, bytes)
    pending.clear()
  }
  return committed
}
