// The witness of HTTP: each request has one answer on its own response, with its id, and each status is the right one.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noFindings } from '../../clients/witness/conversation.ts'
import { type HttpWitness, startHttpWitness } from '../../clients/witness/http-witness.ts'

type Serve = (outgoing: ServerResponse, body: string, incoming: IncomingMessage) => void

let findings = noFindings()
let serve: Serve
let server: Server
let witness: HttpWitness

beforeEach(async () => {
  findings = noFindings()
  server = createServer(async (incoming, outgoing) => serve(outgoing, await text(incoming), incoming))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  witness = await startHttpWitness(url, findings)
})
afterEach(() => {
  witness.close()
  server.close()
  server.closeAllConnections()
})

const json = (message: object) => JSON.stringify({ jsonrpc: '2.0', ...message })
const events = (...messages: object[]) => messages.map(message => `data: ${json(message)}\n\n`).join('')
const ping = { id: 1, method: 'ping', params: { _meta: { progressToken: 1 } } }
const pong = { id: 1, result: {} }
const progress = { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }
const cancelled = { method: 'notifications/cancelled', params: { requestId: 1 } }

const answer = (body: string, type = 'text/event-stream', status = 200, headers = {}): Serve => {
  return outgoing => outgoing.writeHead(status, { 'content-type': type, ...headers }).end(body)
}
const post = (message: object, more: Omit<RequestInit, 'body' | 'method'> = {}) =>
  fetch(witness.url, { method: 'POST', body: json(message), ...more })
const sent = async (message: object) => (await post(message)).text()
const inSession = { headers: { 'mcp-session-id': 's' } }
const modern = { headers: { 'mcp-protocol-version': '2026-07-28' } }

it('an answer in JSON, and one on a stream after progress, have no error', async () => {
  serve = answer(json(pong), 'application/json')
  await sent(ping)
  serve = answer(events(progress, pong))
  await sent(ping)
  serve = outgoing => outgoing.writeHead(202).end()
  await sent({ method: 'notifications/initialized' })
  witness.close()
  expect(findings).toMatchObject({ messages: 6, problems: [] })
})

describe('an error of the protocol', () => {
  it.each<[string, Serve, RegExp]>([
    ['progress alone', answer(events(progress)), /^POST got 200 with no answer/],
    ['an empty stream', answer(''), /with no answer/],
    ['an answer to another request', answer(events({ ...pong, id: 2 })), /with an answer to another request/],
    ['two answers', answer(events(pong, pong)), /with 2 answers/],
    ['progress after the answer', answer(events(pong, progress)), /progress of no open request/],
    ['a wrong status', answer(json(pong), 'application/json', 500), /^POST got 500 with that status/],
    ['a wrong content type', answer(json(pong), 'text/plain'), /the content type “text\/plain”/],
    ['202 to a request', outgoing => outgoing.writeHead(202).end(), /^POST got 202 with that status/],
    ['half of an event', answer(`${events(pong)}data: {`), /^POST got an unfinished event/],
    ['a response that breaks off', outgoing => outgoing.destroy(), /^POST got no whole response/],
  ])('%s is found', async (_, behaviour, expected) => {
    serve = behaviour
    await sent(ping).catch(() => {})
    witness.close()
    expect(findings.problems).toContainEqual(expect.stringMatching(expected))
  })

  it('an answer to a notification is found', async () => {
    serve = answer(json(pong), 'application/json')
    await sent({ method: 'notifications/initialized' })
    expect(findings.problems).toContainEqual(expect.stringMatching(/1 messages to no request/))
  })

  it('an answer on the stream of no request is found, but not on one that is resumed', async () => {
    const stopped = new AbortController()
    serve = outgoing => {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': 's' })
      outgoing.write(events(progress))
    }
    const broken = await post({ ...ping, method: 'initialize' }, { signal: stopped.signal })
    stopped.abort()
    await broken.text().catch(() => {})
    serve = answer(events({ ...pong, error: { code: -32_000, message: 'Late.' }, result: undefined }))
    await (await fetch(witness.url, { headers: { ...inSession.headers, 'last-event-id': '1' } })).text()
    expect(findings.problems).toEqual([expect.stringMatching(/an error to initialize/)])
    await (await fetch(witness.url, inSession)).text()
    expect(findings.problems).toContainEqual(expect.stringMatching(/^GET .* on a stream of no request/))
  })
})

describe('a request that the client leaves', () => {
  /** Opens a response and leaves it once its first byte is there; resolves when the witness has seen that. */
  async function leave(message: object, more: { headers?: Record<string, string> } = {}): Promise<void> {
    let onLeft = () => {}
    const left = new Promise<void>(resolve => {
      onLeft = resolve
    })
    serve = outgoing => {
      outgoing.once('close', onLeft)
      outgoing.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': 's' }).write(':\n\n')
    }
    const stop = new AbortController()
    await post(message, { ...more, signal: stop.signal })
    stop.abort()
    await left
    witness.close()
  }

  it('is given up by a client of protocol 2026-07-28', async () => {
    await leave(ping, modern)
    expect(findings.problems).toEqual([])
  })

  it('is unanswered for a client of an earlier protocol', async () => {
    await leave(ping)
    expect(findings.problems).toEqual([expect.stringMatching(/^The server left unanswered/)])
  })

  it('is cancelled by its notification', async () => {
    serve = (outgoing, body) => {
      const id = { 'mcp-session-id': 's' }
      if (body.includes('cancelled')) {
        outgoing.writeHead(202, id).end()
        open.end()
      } else {
        open = outgoing.writeHead(200, { 'content-type': 'text/event-stream', ...id })
        open.write(':\n\n')
      }
    }
    let open!: ServerResponse
    const response = await post(ping)
    await post(cancelled, inSession)
    await response.text()
    witness.close()
    expect(findings.problems).toEqual([])
  })
})

it('what is open while the run kills the server is counted apart, and so is what a lost session asks', async () => {
  serve = outgoing =>
    outgoing
      .writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': 's' })
      .write(events(progress))
  const open = await post(ping)
  await witness.restart(
    async () => server.closeAllConnections(),
    async () => {
      serve = answer(json({ id: null, error: { code: -32_001, message: 'Lost.' } }), 'application/json', 404)
    },
  )
  await open.text().catch(() => {})
  await (await post({ ...ping, id: 2 }, inSession)).text()
  witness.close()
  expect(findings).toMatchObject({ cutOff: ['ping', 'ping'], problems: [] })
})
