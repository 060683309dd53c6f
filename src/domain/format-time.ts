// Formats a time in a recording for people, and reads it back.

/** Formats seconds as `3:07`, or as `1:02:03` from an hour on. */
export function formatTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return h ? `${h}:${twoDigits(m)}:${twoDigits(s)}` : `${m}:${twoDigits(s)}`
}

/** Seconds of `83.5`, `1:23.5` or `1:02:03`; NaN for anything else. */
export function parseTime(text: string): number {
  const found = /^(?:(?:(\d{1,4}):)?(\d{1,5}):)?(\d{1,9}(?:\.\d{1,9})?)$/.exec(text.trim())
  if (!found) return Number.NaN
  const [hours, minutes, seconds] = [found[1] ?? 0, found[2] ?? 0, found[3]].map(Number) as [
    number,
    number,
    number,
  ]
  return hours * 3600 + minutes * 60 + seconds
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
