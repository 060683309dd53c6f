// Asks for a secret at a terminal, without showing it.
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** Resolves with the line, or undefined if the user cancels it. The caller makes sure that stdin is a terminal. */
export function askSecret(question: string): Promise<string | undefined> {
  process.stderr.write(question)
  const silent = new Writable({ write: (_piece, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true, historySize: 0 })
  return new Promise(resolve => {
    const end = (answer?: string) => {
      resolve(answer)
      lines.close()
    }
    lines.once('line', line => end(line.trim()))
    lines.once('SIGINT', () => end())
    lines.once('close', () => end())
  }).finally(() => process.stderr.write('\n')) as Promise<string | undefined>
}
