// Programs between a client and the server, such as a bridge from stdio to HTTP.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export interface Bridge {
  close(): Promise<void>
  /** Called when the server has died. */
  restart(): Promise<void>
}

/** Starts a program that serves the server under test at a port; with `dies` it is started again with the server. */
export async function startBridge(
  args: string[],
  env: Record<string, string>,
  { port, dies }: { port: number; dies: boolean },
): Promise<Bridge> {
  const start = async () => {
    const child = spawn(args[0]!, args.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', piece => {
        said += piece
      })
    const ended = once(child, 'exit')
    while (!(await accepts(port))) {
      if (child.exitCode !== null) throw new Error(`The bridge ended: ${said.slice(-500)}`)
      await pause(50)
    }
    return async () => {
      child.kill()
      await ended
    }
  }
  let close = await start()
  return {
    close: () => close(),
    async restart() {
      if (!dies) return
      await close()
      close = await start()
    },
  }
}

/** Bridges announce themselves before they listen. */
function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
