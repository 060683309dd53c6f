// Formats a time in a recording for people.

/** Formats seconds as `3:07`, or as `1:02:03` from an hour on. */
export function formatTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return h ? `${h}:${twoDigits(m)}:${twoDigits(s)}` : `${m}:${twoDigits(s)}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
