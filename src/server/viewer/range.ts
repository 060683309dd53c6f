// The `Range` header of a request (RFC 9110): one range of bytes.

/** Both ends included. `none`: the whole is sent, as for several ranges; `outside`: there are no such bytes. */
export function rangeOf(
  header: string | undefined,
  length: number,
): { first: number; last: number } | 'none' | 'outside' {
  const [found, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (found === undefined || (from === '' && to === '')) return 'none'
  if (from === '')
    return Number(to) === 0 ? 'outside' : { first: Math.max(0, length - Number(to)), last: length - 1 }
  if (to !== '' && Number(to) < Number(from)) return 'none'
  if (Number(from) >= length) return 'outside'
  return { first: Number(from), last: Math.min(length - 1, to === '' ? length - 1 : Number(to)) }
}
