// Percentiles of measured times, and times as text.

/** The smallest value that at least this share of the values does not exceed; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
}

export const milliseconds = (seconds: number) => `${Math.round(1000 * seconds)} ms`
