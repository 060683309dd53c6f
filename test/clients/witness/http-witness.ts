// Stands between a client of HTTP and the server: passes all on, and judges messages, statuses and event streams.
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type Conversation, createConversation, type Findings, type Kind } from './conversation.ts'

export interface HttpWitness {
  url: string
  /** Called when the server has died: its sessions are unknown to the next one. */
  serverDied(): void
  close(): void
}

/** `upstream`: URL of the server's endpoint. */
export async function startHttpWitness(upstream: string, findings: Findings): Promise<HttpWitness> {
  const { origin, pathname } = new URL(upstream)
  const sessions = new Map<string, Conversation>()
  const lost = new Set<string>()

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await text(incoming)
    const { method = '', url = '', headers } = incoming
    const session = headers['mcp-session-id'] as string | undefined
    const known = session === undefined ? undefined : sessions.get(session)
    const conversation = known ?? createConversation(findings)
    const isEndpoint = new URL(url, origin).pathname === pathname
    const kind = isEndpoint && method === 'POST' ? conversation.hear('client', body) : undefined
    const onward = request(`${origin}${url}`, { method, headers, agent: false })
    outgoing.once('close', () => onward.destroy())
    onward.once('error', () => outgoing.destroy())
    onward.once('response', answer => {
      const { statusCode: status = 0, headers: given } = answer
      const opened = given['mcp-session-id'] as string | undefined
      if (opened !== undefined) sessions.set(opened, conversation)
      outgoing.writeHead(status, given).flushHeaders()
      const isLost = status === 404 && session !== undefined && lost.has(session)
      // A stream that a dead server had begun cannot be resumed.
      const isPast = status === 400 && lost.size > 0 && headers['last-event-id'] !== undefined
      const isJudged = isEndpoint && !isLost && !isPast
      const said = reader(String(given['content-type']), message => conversation.hear('server', message))
      answer.on('data', bytes => {
        // The body of another refusal explains a status, and answers no message.
        if (isJudged && (status < 300 || kind !== undefined)) said.add(bytes)
        outgoing.write(bytes)
      })
      answer.once('end', () => {
        outgoing.end()
        const answers = said.end()
        if (isJudged && !isInOrder(method, kind, status, answers))
          findings.problems.push(`${method} got ${status} with ${answers} messages: ${body.slice(0, 200)}`)
      })
      answer.once('error', () => outgoing.destroy())
    })
    onward.end(body)
  }

  const server = createServer(
    (incoming, outgoing) => void serve(incoming, outgoing).catch(() => outgoing.destroy()),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    serverDied() {
      for (const id of sessions.keys()) lost.add(id)
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** A refusal of protocol 2026-07-28 has status 400 with its error, which the conversation judges. */
function isInOrder(method: string, kind: Kind | undefined, status: number, answers: number): boolean {
  if (method !== 'POST') return status === 200 || status === 204 || status === 405
  return kind === 'request'
    ? (status === 200 || status === 400) && answers > 0
    : status === 202 && answers === 0
}

/** Takes the bytes of a body, and hands on its messages; at the end it returns their number. */
function reader(type: string, onMessage: (text: string) => void) {
  const isStream = type.startsWith('text/event-stream')
  const decoder = new TextDecoder()
  let rest = ''
  let count = 0
  const message = (text: string) => {
    count++
    onMessage(text)
  }
  return {
    add(bytes: Buffer): void {
      rest += decoder.decode(bytes, { stream: true })
      if (!isStream) return
      const events = rest.split(/\r?\n\r?\n/)
      rest = events.pop()!
      for (const event of events) {
        const data = event.split(/\r?\n/).flatMap(line => /^data: ?(.*)$/.exec(line)?.[1] ?? [])
        if (data.join('') !== '') message(data.join('\n'))
      }
    },
    end(): number {
      if (!isStream && rest.trim() !== '') message(rest)
      return count
    },
  }
}
