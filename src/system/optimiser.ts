// Keeps V8 from optimising functions that hardly matter: each takes the optimiser tens of milliseconds.
import { setFlagsFromString } from 'node:v8'

/** So much of a function is run, in bytes of bytecode, before it is optimised: nine times V8's own. */
const budgetBytes = 600_000

/** For the whole process, on Node 20. Later versions wait that long by themselves, and do not know the switch. */
export function optimiseLate(): void {
  const [major] = process.versions.v8.split('.')
  if (Number(major) < 12) setFlagsFromString(`--interrupt-budget=${budgetBytes}`)
}
