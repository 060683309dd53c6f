// Stands between a client of HTTP and the server: passes all on, and judges messages, statuses and event streams.
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type Conversation, createConversation, type Findings, type Heard } from './conversation.ts'
import { messageReader } from './message-reader.ts'

export interface HttpWitness {
  url: string
  /** Around the death of the server and the start of the next one: what is open gets no answer, and sessions are lost. */
  restart(kill: () => Promise<unknown>, start: () => Promise<unknown>): Promise<void>
  /** Finds the requests that were left open. */
  close(): void
}

/** From this version on a client gives a request up by closing its response. */
const closingCancels = '2026-07-28'

/** `upstream`: URL of the server's endpoint. */
export async function startHttpWitness(upstream: string, findings: Findings): Promise<HttpWitness> {
  const { origin, pathname } = new URL(upstream)
  const sessions = new Map<string, Conversation>()
  const conversations = new Set<Conversation>()
  const lost = new Set<string>()
  let deaths = 0
  let isDown = false

  function begin(): Conversation {
    const conversation = createConversation(findings)
    conversations.add(conversation)
    return conversation
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await text(incoming)
    const { method = '', url = '', headers } = incoming
    const session = headers['mcp-session-id'] as string | undefined
    // A client may start again with the id of its last session.
    const known = session === undefined || isInitialize(body) ? undefined : sessions.get(session)
    const conversation = known ?? begin()
    const isEndpoint = new URL(url, origin).pathname === pathname
    const sent = isEndpoint && method === 'POST' ? conversation.hear('client', body) : undefined
    const asked = sent?.kind === 'request' ? sent.id : undefined
    const before = { deaths, isDown }
    const hasDied = () => before.isDown || before.deaths !== deaths
    const find = (what: string) =>
      void findings.problems.push(`${method} ${what}: ${(body || JSON.stringify(headers)).slice(0, 200)}`)
    let isBroken = false
    const broken = () => {
      if (isBroken || outgoing.closed) return
      isBroken = true
      if (hasDied()) {
        if (asked !== undefined) conversation.cutOff(asked)
      } else if (sent) find('got no whole response')
      outgoing.destroy()
    }

    const onward = request(`${origin}${url}`, { method, headers, agent: false })
    outgoing.once('close', () => {
      const hasLeft = !isBroken && !outgoing.writableFinished
      const isModern = String(headers['mcp-protocol-version'] ?? '') >= closingCancels
      if (hasLeft && isModern && asked !== undefined) conversation.giveUp(asked)
      onward.destroy()
    })
    onward.once('error', broken)
    onward.once('response', answer => {
      const { statusCode: status = 0, headers: given } = answer
      const opened = given['mcp-session-id'] as string | undefined
      if (opened !== undefined) sessions.set(opened, conversation)
      outgoing.writeHead(status, given).flushHeaders()
      const isLost = status === 404 && session !== undefined && lost.has(session)
      if (isLost && asked !== undefined) conversation.cutOff(asked)
      // A stream that a dead server had begun cannot be resumed.
      const isPast = status === 400 && lost.size > 0 && headers['last-event-id'] !== undefined
      const isJudged = isEndpoint && !isLost && !isPast
      const type = String(given['content-type'] ?? '')
      const heard: Heard[] = []
      const reader = messageReader(type, message => heard.push(conversation.hear('server', message)))
      answer.on('data', bytes => {
        // The body of another refusal explains a status, and answers no message.
        if (isJudged && (status < 300 || sent !== undefined)) reader.add(bytes)
        outgoing.write(bytes)
      })
      answer.once('end', () => {
        outgoing.end()
        if (!isJudged) return
        if (!reader.end()) find(`got an unfinished event with status ${status}`)
        const isSettled = asked !== undefined && conversation.isSettled(asked)
        const isResumed = headers['last-event-id'] !== undefined
        const wrong = misfit({ method, sent, status, type, heard, isSettled, isResumed })
        if (wrong) find(`got ${status} with ${wrong}`)
      })
      answer.once('error', broken)
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
    async restart(kill, start) {
      deaths++
      isDown = true
      for (const id of sessions.keys()) lost.add(id)
      await kill()
      for (const conversation of conversations) conversation.cutOff()
      await start()
      isDown = false
    },
    close() {
      server.close()
      server.closeAllConnections()
      for (const conversation of conversations) conversation.end()
    },
  }
}

interface Response {
  method: string
  /** The message of a POST. */
  sent: Heard | undefined
  status: number
  type: string
  heard: Heard[]
  /** True if the request of a POST was answered or given up. */
  isSettled: boolean
  isResumed: boolean
}

/** The errors of a whole response, beside its messages themselves. */
function misfit({ method, sent, status, type, heard, isSettled, isResumed }: Response): string | undefined {
  const answers = heard.filter(({ kind }) => kind === 'answer')
  if (method !== 'POST') {
    if (![200, 202, 204, 405].includes(status)) return 'that status'
    // Only a stream that is resumed brings an answer.
    return answers.length > 0 && !isResumed ? 'an answer, on a stream of no request' : undefined
  }
  if (sent?.kind !== 'request')
    return status === 202 && heard.length === 0 ? undefined : `${heard.length} messages to no request`
  // An error of protocol 2026-07-28 has its own status; the conversation judges the error.
  if (![200, 400, 404].includes(status)) return 'that status'
  if (!/^(application\/json|text\/event-stream)\b/.test(type)) return `the content type “${type}”`
  const own = answers.filter(({ id }) => id === sent.id)
  if (own.length < answers.length) return 'an answer to another request'
  if (own.length > 1) return `${own.length} answers`
  return own.length === 1 || (status === 200 && isSettled) ? undefined : 'no answer'
}

function isInitialize(body: string): boolean {
  try {
    return JSON.parse(body)?.method === 'initialize'
  } catch {
    return false
  }
}
