// The HTTP client: errors of the network, time limits, size limits, aborted requests and streams.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cancelled } from '../../../../src/domain/errors.ts'
import { deadlines } from '../../../../src/domain/network/deadlines.ts'
import { createHttpClient, type HttpClient } from '../../../../src/drivers/http/http.ts'
import { failure } from '../../../support/failure.ts'
import { chunk, never, path, recogniserOf } from '../../../support/servers/dashscope-client.ts'
import {
  dropConnection,
  type Responder,
  startTaskServer,
  type TaskServer,
} from '../../../support/servers/task-server.ts'

let server: TaskServer
let http: HttpClient

beforeAll(async () => {
  server = await startTaskServer()
})
beforeEach(() => {
  http = createHttpClient({ connections: 4, deadline: { idleSeconds: 0.1 } })
})
afterEach(() => http.close())
afterAll(() => server.close())

/** One request of a recogniser. */
const recognise = ({ baseUrl = server.baseUrl, signal = never } = {}) =>
  recogniserOf(http, { baseUrl }).recognise(chunk, signal)

const { chunk: deadline } = deadlines
const trickle: Responder = (_, response) => {
  response.on('error', () => {})
  const more = () => response.destroyed || response.write(' ', () => setImmediate(more))
  more()
}
const silent: Responder = () => {}
const beginJson: Responder = (_, response) => void response.writeHead(200).write('{')
const beginText: Responder = (_, response) => void response.writeHead(200).write('first')
const dropMidway: Responder = (_, response, request) => {
  response.writeHead(200, { 'content-length': 100 })
  response.write('{"output"', () => request.socket.destroy())
}

describe('an HTTP request', () => {
  it.each([
    ['before the response', dropConnection],
    ['in the middle of the response', dropMidway],
  ])('fails and is retryable when the connection drops %s', async (_, responder) => {
    server.respondWith(responder)
    const error = await failure(recognise())
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true, scope: 'request' })
    expect(error.message).toBe(`POST ${server.baseUrl}${path} failed (UND_ERR_SOCKET).`)
  })

  it('names the reason when the connection is refused', async () => {
    const error = await failure(recognise({ baseUrl: 'http://127.0.0.1:1/v1' }))
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('names the reason when the host is unknown', async () => {
    // Longer than a name may be, so that no resolver is asked.
    const error = await failure(recognise({ baseUrl: `http://${'a'.repeat(64)}.invalid/v1` }))
    expect(error).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
    expect(error.message).toContain('could not be resolved')
  })

  it.each([
    ['no response', silent],
    ['half a response', beginJson],
  ])('times out when there is %s', async (_, responder) => {
    server.respondWith(responder)
    const error = await failure(recognise())
    expect(error).toMatchObject({ code: 'PROVIDER_TIMEOUT', retryable: true, scope: 'request' })
    expect(error.message).toBe(`POST ${server.baseUrl}${path} was not answered in time.`)
  })

  it('times out, and closes its connection, when the response trickles without end', async () => {
    http = createHttpClient({ connections: 1, deadline: { totalSeconds: 0.1 } })
    const closed = new Promise(resolve => {
      server.respondWith((received, response, request) => {
        response.on('close', resolve)
        trickle(received, response, request)
      })
    })
    expect(await failure(recognise())).toMatchObject({ code: 'PROVIDER_TIMEOUT', retryable: true })
    await closed
  })

  it('may take longer than the time for its answer to be sent, as far as its body is long', async () => {
    http = createHttpClient({ connections: 1, deadline: { totalSeconds: 0.1 } })
    const request = { method: 'POST', url: server.baseUrl, signal: never } as const
    async function* chunks() {
      for (let i = 0; i < 3; i++) {
        await new Promise(resolve => setTimeout(resolve, 60))
        yield Buffer.from('x')
      }
    }
    const body = { byteLength: 3, chunks }
    const send = (minBytesPerSecond: number) =>
      http.request({ ...request, body, deadline: { ...deadline, minBytesPerSecond } })
    server.respond(200, {})
    expect(await send(1)).toMatchObject({ status: 200 })
    expect(await failure(send(1000))).toMatchObject({ code: 'PROVIDER_TIMEOUT' })
  })

  it('an HTTP request stops reading a response without end', async () => {
    server.respondWith((_, response) => {
      response.on('error', () => {})
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(100_000))) {}
      }
      response.on('drain', more)
      more()
    })
    expect(await failure(recognise())).toMatchObject({ code: 'PROVIDER_UNREACHABLE' })
  })

  it('an HTTP request ends at once, with its connection, when the signal aborts', async () => {
    await http.close()
    http = createHttpClient({ connections: 1 })
    const call = new AbortController()
    const reason = cancelled()
    const closed = new Promise(resolve => {
      server.respondWith((_, __, request) => {
        request.socket.on('close', resolve)
        call.abort(reason)
      })
    })
    await expect(recognise({ signal: call.signal })).rejects.toBe(reason)
    await closed
  })
})

describe('an HTTP stream', () => {
  const open = (signal = never) =>
    http.stream({ method: 'GET', url: `${server.baseUrl}/slow`, signal, deadline })
  async function read(text: AsyncIterable<string>): Promise<string> {
    let whole = ''
    for await (const piece of text) whole += piece
    return whole
  }
  const readAll = async () => read((await open()).text)

  it('delivers its status and first text before its end', async () => {
    let finish = () => {}
    server.respondWith((_, response) => {
      response.writeHead(207).write('first')
      finish = () => void response.end(' last')
    })
    const { status, text } = await open()
    expect(status).toBe(207)
    let whole = ''
    for await (const piece of text) {
      whole += piece
      finish()
    }
    expect(whole).toBe('first last')
  })

  it('joins characters that the network splits', async () => {
    server.respondWith(async (_, response) => {
      for (const byte of Buffer.from('今天 😀 Ça'))
        await new Promise(resolve => response.write(Buffer.of(byte), () => setImmediate(resolve)))
      response.end()
    })
    expect(await readAll()).toBe('今天 😀 Ça')
  })

  it('times out when it stops midway', async () => {
    server.respondWith(beginText)
    expect(await failure(readAll())).toMatchObject({ code: 'PROVIDER_TIMEOUT' })
  })

  it('times out when it trickles without end', async () => {
    http = createHttpClient({ connections: 1, deadline: { totalSeconds: 0.1 } })
    server.respondWith(trickle)
    expect(await failure(readAll())).toMatchObject({ code: 'PROVIDER_TIMEOUT', retryable: true })
  })

  it('an HTTP stream fails permanently when it is too large', async () => {
    http = createHttpClient({ connections: 1, maxStreamBytes: 1000 })
    server.respondWith((_, response) => void response.on('error', () => {}).end('x'.repeat(2000)))
    expect(await failure(readAll())).toMatchObject({ code: 'PROVIDER_FAILED', retryable: false })
  })

  it('an HTTP stream fails and is retryable when the connection drops midway', async () => {
    server.respondWith(
      (_, response, request) => void response.writeHead(200).write('first', () => request.socket.destroy()),
    )
    expect(await failure(readAll())).toMatchObject({ code: 'PROVIDER_UNREACHABLE', retryable: true })
  })

  it('an HTTP stream ends at once, with its connection, when the signal aborts or the reader stops', async () => {
    const closed = () =>
      new Promise(resolve => {
        server.respondWith((_, response, request) => {
          request.socket.on('close', resolve)
          response.writeHead(200).write('first')
        })
      })
    const reason = cancelled()
    const call = new AbortController()
    let over = closed()
    const { text } = await open(call.signal)
    const reading = read(text)
    call.abort(reason)
    await expect(reading).rejects.toBe(reason)
    await over
    over = closed()
    for await (const _ of (await open()).text) break
    await over
  })

  it('names the setting of its address when the server cannot be reached', async () => {
    const url = 'http://127.0.0.1:1/'
    const error = await failure(
      http.stream({ method: 'GET', url, signal: never, deadline, setting: 'GEMINI_BASE_URL' }),
    )
    expect(error.code).toBe('PROVIDER_UNREACHABLE')
    expect(error.hint).toContain('GEMINI_BASE_URL')
  })
})

describe('Retry-After', () => {
  const asked = async (header: string | string[], date?: string) => {
    server.respondWith((_, response) => {
      response.writeHead(429, { 'retry-after': header as string, ...(date && { date }) }).end('{}')
    })
    return (await http.request({ method: 'GET', url: server.baseUrl, signal: never, deadline }))
      .retryAfterSeconds
  }

  it('is read as seconds or as a date', async () => {
    expect(await asked('7')).toBe(7)
    expect(await asked(new Date(Date.now() + 60_000).toUTCString())).toBeCloseTo(60, -1)
  })

  it('is read by the clock of the server, and the first of two counts', async () => {
    const [date, later] = [1000, 91_000].map(ms => new Date(ms).toUTCString())
    expect(await asked(later!, date)).toBe(90)
    expect(await asked(['3', '5'])).toBe(3)
  })

  it('may be longer than any number of milliseconds', async () => {
    expect(await asked('9'.repeat(400))).toBe(Number.POSITIVE_INFINITY)
  })

  it.each(['soon', '-3', '', '5 apples', '0x10', '1e9', 'Wed', new Date(0).toUTCString()])(
    '%s is no pause',
    async header => {
      expect(await asked(header)).toBeUndefined()
    },
  )
})
