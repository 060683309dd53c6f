// The program over stdio, as raw lines, so that a round may also write what no client would.
import { createInterface } from 'node:readline'
import { type ProgramOptions, startProgram } from './child.ts'
import { clientInfo, type Door, type Era, paramsOf, type Reply } from './door.ts'
import { factsOf } from './process-facts.ts'

export interface StdioDoor extends Door {
  /** Writes text as it is. */
  write(text: string | Buffer): void
  /** Responses whose id no request has, as error responses to a line that could not be read. */
  strays: Reply[]
  send(message: unknown): void
  /** Over the IPC channel, if the program has one: sends a message, and resolves with the next one. */
  tell(message: string): void
  report(): Promise<unknown>
}

const handshakeMs = 20_000

/** Throws if the program does not greet back. */
export async function openStdio(options: ProgramOptions, era: Era = '2025-11-25'): Promise<StdioDoor> {
  const program = startProgram(options)
  const { child } = program
  const waiting = new Map<unknown, (reply: Reply) => void>()
  const strays: Reply[] = []
  const faults: string[] = []
  let lastId = 0
  program.whenEnded.then(() => {
    for (const resolve of waiting.values()) resolve({ lost: 'gone' })
  })

  createInterface({ input: child.stdout! }).on('line', line => {
    const message = parse(line)
    if (!message) faults.push(`stdout: ${line.slice(0, 200)}`)
    else if (message.method === undefined) (waiting.get(message.id) ?? (reply => strays.push(reply)))(message)
  })

  const write = (text: string | Buffer) => {
    if (program.ended() === undefined) child.stdin!.write(text)
  }
  const send = (message: unknown) => write(`${JSON.stringify(message)}\n`)

  function request(method: string, params: Record<string, unknown>, timeoutMs: number): Promise<Reply> {
    const id = ++lastId
    return new Promise<Reply>(resolve => {
      if (program.ended() !== undefined) return resolve({ lost: 'gone' })
      const timer = setTimeout(() => settle({ lost: 'late' }), timeoutMs)
      const settle = (reply: Reply) => {
        clearTimeout(timer)
        waiting.delete(id)
        resolve(reply)
      }
      waiting.set(id, settle)
      send({ jsonrpc: '2.0', id, method, params: paramsOf(era, params) })
    })
  }

  const door: StdioDoor = {
    name: `stdio ${era}`,
    pid: program.pid,
    request,
    write,
    send,
    strays,
    tell: message => void child.send(message),
    report: () => new Promise(resolve => child.once('message', resolve)),
    ended: program.ended,
    facts: () => factsOf(program.pid),
    faults: () => faults,
    close: () => program.end(() => child.stdin!.end()),
    kill: program.kill,
  }
  if (era === '2025-11-25') {
    const greeting = { protocolVersion: era, capabilities: {}, clientInfo }
    const { result } = await request('initialize', greeting, handshakeMs)
    if (!result) throw new Error(`The program did not greet back: ${program.stderr().slice(-500)}`)
    send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  }
  return door
}

function parse(line: string): (Reply & { id?: unknown; method?: string }) | undefined {
  try {
    const message = JSON.parse(line)
    return message?.jsonrpc === '2.0' ? message : undefined
  } catch {
    return undefined
  }
}
