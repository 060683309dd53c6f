// A recording from another machine: the ticket of an agent, the command of a person, and the order, with the built program.
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { closedAfterEach } from '../../support/closed-after-each.ts'
import { httpClients, type McpTestClient } from '../../support/e2e/mcp-clients.ts'
import { startServerHere } from '../../support/e2e/server-here.ts'
import {
  fixture,
  type HttpServer,
  plainWords,
  startHttpServer,
  truth,
  truthText,
} from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'
import { startBreakingLine } from '../../support/servers/breaking-line.ts'
import { bytesOf } from '../../support/servers/upload-server.ts'

const tokens = { ann: 'ann-0123456789abcdef', bob: 'bob-0123456789abcdef' }
const [, connect] = httpClients.at(-1)!

let terminal: Terminal
let server: HttpServer
let ann: McpTestClient
beforeAll(async () => {
  terminal = await openTerminal()
  const users = Object.entries(tokens).map(pair => pair.join(':'))
  server = await startHttpServer({ ...terminal.env, SPEECH_TOKENS: users.join(',') })
  ann = await connect({ url: server.url, token: tokens.ann })
})
afterAll(async () => {
  await ann.close()
  await server.stop()
  await terminal.close()
})

const openLine = closedAfterEach(startBreakingLine)

interface Ticket {
  audio: string
  url: string
  curl: string
  max_bytes: number
  ends_at: string
}

async function ticket(): Promise<Ticket> {
  const { structuredContent } = await ann.call('request_upload', {})
  return structuredContent as Ticket
}

describe('a recording from another machine', () => {
  it('an agent asks for a ticket, a person sends the file with the command, and the agent transcribes it', async () => {
    const { audio, url, curl, max_bytes, ends_at } = await ticket()
    expect([url.startsWith(`${new URL(server.url).origin}/uploads/`), curl]).toEqual([
      true,
      `curl -T FILE ${url}/`,
    ])
    expect([max_bytes, Date.parse(ends_at) > Date.now()]).toEqual([2_048_000_000, true])
    const early = await ann.call('transcribe_audio', { audio })
    expect(early.content[0].text).toMatch(
      /^UPLOAD_UNFINISHED: Nothing of this upload has come yet\. Call again/,
    )
    const file = join(terminal.work, 'Voice of Mai.ogg')
    await copyFile(fixture('voice-note.ogg'), file)
    const sent = await terminal.run(['upload', file, url])
    expect(sent).toMatchObject({
      code: 0,
      stdout: `${audio}\n`,
      stderr: expect.stringContaining('Voice of Mai'),
    })
    const { structuredContent } = await ann.call('transcribe_audio', { audio })
    expect(structuredContent).toMatchObject({ status: 'completed', title: 'Voice of Mai' })
    expect(plainWords(structuredContent.text)).toBe(`[0:00] ${truthText(truth('voice-note'))}`)
    // The same sound by speakers, and as a batch with another one.
    const batch = await ann.call('transcribe_audio', { audio: `${audio}\n${(await ticket()).audio}` })
    expect(JSON.stringify(batch)).toMatch(/UPLOAD_UNFINISHED/)
  })

  it('another owner cannot order the upload', async () => {
    const { audio, url } = await ticket()
    await fetch(url, { method: 'PUT', body: bytesOf(1_000) })
    const bob = await connect({ url: server.url, token: tokens.bob })
    const refused = await bob.call('transcribe_audio', { audio })
    const unknown = await bob.call('transcribe_audio', { audio: `upload://${'0'.repeat(26)}` })
    await bob.close()
    expect(refused.content[0].text).toMatch(/^UPLOAD_NOT_FOUND: No upload has this address\./)
    const withoutId = (text: string) => text.replace(/upload:\/\/\w+/, '')
    expect(withoutId(refused.content[0].text)).toBe(withoutId(unknown.content[0].text))
  })

  it('the command goes on over a line that breaks, and again where the file was sent', async () => {
    const { audio, url } = await ticket()
    const line = await openLine({ target: url, breakBytes: 1e6 })
    const file = join(terminal.work, 'long.wav')
    await writeFile(file, bytesOf(3_200_000))
    expect(await terminal.run(['upload', file, line.over(url)])).toMatchObject({
      code: 0,
      stdout: `${audio}\n`,
    })
    expect(line.breaks()).toBeGreaterThanOrEqual(3)
    const before = line.sent()
    expect(await terminal.run(['upload', file, line.over(url)])).toMatchObject({
      code: 0,
      stdout: `${audio}\n`,
    })
    expect(line.sent() - before).toBeLessThan(10_000)
    await writeFile(file, bytesOf(3_200_000, 5))
    const other = await terminal.run(['upload', file, url])
    expect([other.code, other.stderr]).toEqual([1, expect.stringMatching(/^UPLOAD_REFUSED: .*another file/)])
  })

  it.each([
    [['nowhere.wav', 'http://127.0.0.1:1/uploads/x.y'], 1, /^FILE_NOT_FOUND: /],
    [['silence.wav'], 2, /^BAD_INPUT: A file and the address/],
    [['silence.wav', 'http://127.0.0.1:1/'], 2, /^BAD_INPUT: A file and the address/],
    [['.', 'http://127.0.0.1:1/uploads/x.y'], 1, /^NOT_A_FILE: /],
  ])('the command explains what is wrong with %j', async (words, code, message) => {
    const { stderr, ...rest } = await terminal.run(['upload', ...words])
    expect([rest.code, stderr]).toEqual([code, expect.stringMatching(message)])
  })

  it('the command repeats what the server says of a ticket', async () => {
    const { url } = await ticket()
    const wrong = await terminal.run(['upload', 'silence.wav', url.replace(/.{6}$/, '000000')])
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/^UPLOAD_NOT_FOUND: No ticket/)])
  })
})

it('a server over stdio takes over the job of a killed one, with its upload', async () => {
  const env = { ...terminal.env, SPEECH_DATA_DIR: `${terminal.env.SPEECH_DATA_DIR}-killed` }
  const killed = await startHttpServer(env)
  const client = await connect({ url: killed.url })
  const { structuredContent } = await client.call('request_upload', { name: 'Left.ogg' })
  const { audio, url } = structuredContent as Ticket
  await fetch(url, { method: 'PUT', body: await readFile(fixture('voice-note.ogg')) })
  const off = terminal.dashscope.fault({ kind: 'hang' })
  const before = terminal.dashscope.inFlight()
  const order = { audio, context: 'left', wait_seconds: 60 }
  client.call('transcribe_audio', order).catch(() => {})
  await vi.waitFor(() => expect(terminal.dashscope.inFlight()).toBeGreaterThan(before), { timeout: 60_000 })
  killed.child.kill('SIGKILL')
  off()
  const { client: there, close } = await startServerHere(env)
  const { structuredContent: found } = await there.callTool({ name: 'transcribe_audio', arguments: order })
  await close()
  await client.close().catch(() => {})
  expect(found).toMatchObject({ status: 'completed', title: 'Left' })
})

describe('a recording that the server does not see', () => {
  it.each(['/mnt/user-data/uploads/talk.m4a', 'sandbox:/mnt/data/talk.m4a', 'attachment://talk.m4a'])(
    'the error about %s names the tool',
    async given => {
      const { content, isError } = await ann.call('transcribe_audio', { audio: given })
      const advice = /^ATTACHMENT_NOT_VISIBLE: .* call request_upload\.$/
      expect([isError, content[0].text]).toEqual([true, expect.stringMatching(advice)])
    },
  )

  it('many such errors leave the owner its tickets', async () => {
    const wrong = { audio: '/mnt/user-data/uploads/talk.m4a' }
    await Promise.all(Array.from({ length: 60 }, () => ann.call('transcribe_audio', wrong)))
    expect((await ticket()).audio).toMatch(/^upload:/)
  })

  it('the error about a path on another machine names the tool', async () => {
    const { content } = await ann.call('transcribe_audio', { audio: '/Users/mai/talk.m4a' })
    expect(content[0].text).toMatch(/^OUTSIDE_ALLOWED_DIRS: .* call request_upload\./)
  })
})

describe('the tool list over HTTP', () => {
  it('the tool list costs at most 4,000 tokens with and without open folders', async () => {
    const open = await startHttpServer({ ...terminal.env, SPEECH_ALLOWED_DIRS: terminal.work })
    const other = await connect({ url: open.url })
    const lists = [(await ann.listTools()).tools, (await other.listTools()).tools]
    await other.close()
    await open.stop()
    for (const tools of lists) {
      expect(tools.map(({ name }) => name)).toContain('request_upload')
      expect(JSON.stringify(tools).length / 4).toBeLessThanOrEqual(4_000)
    }
  })

  it('a file of a chat passes the guard for addresses', async () => {
    const file = { download_url: 'https://127.0.0.1/talk.m4a', file_id: 'file_1' }
    const { content } = await ann.call('transcribe_audio', { file })
    expect(content[0].text).toMatch(/^URL_REFUSED: /)
    const nothing = await ann.call('transcribe_audio', {})
    expect(nothing.content[0].text).toMatch(/^BAD_INPUT: The argument `audio` is empty/)
  })
})
