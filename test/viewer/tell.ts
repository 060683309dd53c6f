// The lines of the report, and the names of what is not as it should be.

export const faults: string[] = []

export function tell(name: string, value: unknown, isFine: boolean): void {
  process.stdout.write(`${isFine ? 'ok  ' : 'BAD '} ${name}: ${JSON.stringify(value)}\n`)
  if (!isFine) faults.push(name)
}
