// Text and times that several subtitle formats share.

/** Replaces arrows, which parsers would take for a line of times. */
export function withoutArrows(text: string): string {
  return text.replaceAll('-->', '→')
}

/** `01:02:03.456`; from 100 hours on, three digits of hours. */
export function clockTime(seconds: number, separator: ',' | '.'): string {
  const milliseconds = Math.round(seconds * 1000)
  const part = (divisor: number, modulus: number, width: number) =>
    String(Math.floor(milliseconds / divisor) % modulus).padStart(width, '0')
  const hours = part(3_600_000, Number.POSITIVE_INFINITY, 2)
  return `${hours}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}${separator}${part(1, 1000, 3)}`
}
