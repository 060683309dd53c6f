// Waits for SIGINT or SIGTERM.

/** Resolves with the first signal; the second ends the process at once. */
export function shutdownSignal(): Promise<void> {
  return new Promise(resolve => {
    let isStopping = false
    const onSignal = () => {
      if (isStopping) process.exit(1)
      isStopping = true
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  })
}
