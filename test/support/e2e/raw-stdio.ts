// A server over stdio without a client library: raw lines in, parsed answers out, in either protocol.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect } from 'vitest'
import { entry } from './system.ts'

/** Carried by each request of 2026-07-28. */
export const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}
/** Params of `initialize`. */
export const hello = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw', version: '1' },
}

export interface Answer {
  id: unknown
  result?: unknown
  error?: { code: number; message: string }
}

export type RawStdio = ReturnType<typeof startRawStdio>

export function startRawStdio(env: Record<string, string>, isModern: boolean) {
  const server: ChildProcessWithoutNullStreams = spawn(process.execPath, [entry], { env, stdio: 'pipe' })
  const exited = once(server, 'exit') as Promise<[number | null]>
  const answers = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  let count = 0
  const request = (method: string, params: object = {}, id: unknown = `next ${++count}`) =>
    JSON.stringify({
      jsonrpc: '2.0',
      id,
      method,
      params: isModern ? { ...params, _meta: modernMeta } : params,
    })
  const next = async () => JSON.parse((await answers.next()).value as string) as Answer
  return {
    server,
    request,
    next,
    /** The answer to one request, of any protocol. */
    async ask(method: string, params: object): Promise<Answer> {
      server.stdin.write(`${request(method, params)}\n`)
      return next()
    },
    /** The handshake of 2025-11-25. */
    async initialize(): Promise<void> {
      server.stdin.write(`${request('initialize', hello)}\n`)
      await next()
    },
    async close(): Promise<number | null> {
      server.stdin.end()
      return (await exited)[0]
    },
    /** Writes bytes, then a request; returns the answers before that of the request, which must succeed. */
    async answersTo(...bytes: (string | Buffer)[]): Promise<Answer[]> {
      for (const piece of bytes) if (!server.stdin.write(piece)) await once(server.stdin, 'drain')
      server.stdin.write(`\n${request('resources/templates/list')}\n`)
      const before: Answer[] = []
      for (;;) {
        const answer = await next()
        if (answer.id !== `next ${count}`) before.push(answer)
        else {
          expect(answer.result).toBeDefined()
          return before
        }
      }
    },
  }
}
