// A line to a server that breaks again and again, and counts what was sent over it.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export interface BreakingLine {
  /** The URL, over this line. */
  over(url: string): string
  breaks(): number
  /** Resolves when it breaks for the first time. */
  broken: Promise<void>
  /** Bytes that clients have sent to the server. */
  sent(): number
  close(): Promise<void>
}

export interface LineOptions {
  /** URL of the server. */
  target: string
  /** It breaks each time when this many bytes were sent. */
  breakBytes: number
  /** Stays whole after so many breaks. Default: never. */
  maxBreaks?: number
  /** A real line is slower than the server. Default: as fast as it goes. */
  bytesPerSecond?: number
}

const none = { target: 'http://127.0.0.1:1', breakBytes: 1 }

export async function startBreakingLine(options: LineOptions = none): Promise<BreakingLine> {
  const { target, breakBytes, maxBreaks = Number.POSITIVE_INFINITY, bytesPerSecond } = options
  const port = Number(new URL(target).port)
  const sockets = new Set<Socket>()
  let [sent, breaks, untilBreak] = [0, 0, breakBytes]
  let onBreak = () => {}
  const broken = new Promise<void>(resolve => {
    onBreak = resolve
  })

  const server = createServer(async client => {
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    }
    upstream.pipe(client)
    upstream.once('close', () => client.destroy())
    try {
      for await (const piece of client as AsyncIterable<Buffer>) {
        const isBreaking = breaks < maxBreaks && piece.length >= untilBreak
        const passed = isBreaking ? piece.subarray(0, untilBreak) : piece
        sent += passed.length
        untilBreak -= passed.length
        await new Promise<void>(resolve => upstream.write(passed, () => resolve()))
        if (bytesPerSecond !== undefined) await pause((1000 * passed.length) / bytesPerSecond)
        if (!isBreaking) continue
        breaks++
        onBreak()
        untilBreak = breakBytes
        break
      }
    } catch {
      // The client is gone.
    }
    upstream.end()
    client.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = String((server.address() as AddressInfo).port)
  return {
    over: url => Object.assign(new URL(url), { port: own }).href,
    breaks: () => breaks,
    broken,
    sent: () => sent,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
