// Waits for whoever ends a process that serves until then.

/** Resolves with the first signal; the second ends the process at once. */
export function signalled(): Promise<void> {
  return new Promise(resolve => {
    let before = false
    const onSignal = () => {
      if (before) process.exit(1)
      before = true
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  })
}
