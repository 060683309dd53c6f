// The address that `speech-mcp view` prints.
import type { RunningCommand } from './e2e/terminal.ts'

/** Rejects with its output where it ends without one. */
export function addressOf({ child, result }: RunningCommand): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    child.stderr!.on('data', (piece: Buffer) => {
      printed += piece
      const found = /http:\S+\//.exec(printed)?.[0]
      if (found) resolve(found)
    })
    result.then(({ stderr }) => reject(new Error(stderr)))
  })
}
