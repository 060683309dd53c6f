// Text and times that several subtitle formats share.

/**
 * Replaces marks that players take for markup in every text format: arrows; braces, which mpv hides with their content; and
 * a backslash, which begins a line break in ffmpeg and mpv (a word joiner behind it keeps it).
 */
export function withoutMarks(text: string): string {
  return text.replaceAll('-->', '→').replaceAll('{', '｛').replaceAll('}', '｝').replaceAll('\\', '\\\u2060')
}

/** `01:02:03.456`; from 100 hours on, three digits of hours. */
export function clockTime(seconds: number, separator: ',' | '.'): string {
  const milliseconds = Math.round(seconds * 1000)
  const part = (divisor: number, modulus: number, width: number) =>
    String(Math.floor(milliseconds / divisor) % modulus).padStart(width, '0')
  const hours = part(3_600_000, Number.POSITIVE_INFINITY, 2)
  return `${hours}:${part(60_000, 60, 2)}:${part(1000, 60, 2)}${separator}${part(1, 1000, 3)}`
}
