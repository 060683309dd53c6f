// Values of cells and keys: types, order and size.

/** INTEGER, DOUBLE, BOOLEAN, STRING and BINARY, in this order. */
export type Value = bigint | number | boolean | string | Buffer
export type KeyValue = bigint | string | Buffer

export const INF_MIN: unique symbol = Symbol('INF_MIN')
export const INF_MAX: unique symbol = Symbol('INF_MAX')
/** A key value, or an end of a range. */
export type Bound = KeyValue | typeof INF_MIN | typeof INF_MAX

/** Negative, 0 or positive; undefined if the types differ. */
export function compareValues(one: Value, other: Value): number | undefined {
  if (typeof one === 'string' && typeof other === 'string') return compareStrings(one, other)
  if (Buffer.isBuffer(one) && Buffer.isBuffer(other)) return Buffer.compare(one, other)
  if (typeof one !== typeof other || typeof one === 'object' || typeof other === 'object') return undefined
  return one < other ? -1 : one > other ? 1 : 0
}

/** Compares keys in table order; both have the types of its columns. */
export function compareKeys(one: readonly Bound[], other: readonly Bound[]): number {
  for (const [index, value] of one.entries()) {
    const order = compareBounds(value, other[index]!)
    if (order !== 0) return order
  }
  return 0
}

function compareBounds(one: Bound, other: Bound): number {
  if (one === other) return 0
  if (one === INF_MIN || other === INF_MAX) return -1
  if (one === INF_MAX || other === INF_MIN) return 1
  return compareValues(one as KeyValue, other as KeyValue) ?? 0
}

/** Compares by UTF-8 bytes. UTF-16 would sort supplementary characters before U+E000 to U+FFFF. */
export function compareStrings(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let index = 0; index < length; index++) {
    const [left, right] = [one.charCodeAt(index), other.charCodeAt(index)]
    if (left !== right) return codePointOrder(left) - codePointOrder(right)
  }
  return one.length - other.length
}

function codePointOrder(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

export function sizeOf(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (Buffer.isBuffer(value)) return value.length
  return typeof value === 'boolean' ? 1 : 8
}

/** Equal for equal keys of one table. Length prefixes make it unambiguous. */
export function identityOf(key: readonly KeyValue[]): string {
  const parts = key.map(value => (Buffer.isBuffer(value) ? value.toString('base64') : String(value)))
  return parts.map(part => `${part.length}:${part}`).join('')
}
