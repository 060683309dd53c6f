// The commands `speech-mcp http` and `demo --serve`: output, allowed folders and shutdown.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { makeSpacedRecording } from '../../support/audio/spaced-recording.ts'
import { answerOf, openSession, post } from '../../support/e2e/http.ts'
import { httpClients } from '../../support/e2e/mcp-clients.ts'
import {
  entry,
  fixture,
  type HttpServer,
  plainWords,
  startHttpServer,
  tempFolder,
  truth,
  truthText,
} from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'

let terminal: Terminal
beforeAll(async () => {
  terminal = await openTerminal()
  await terminal.dashscope.warmUp()
})
afterAll(() => terminal.close())

const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGTERM')
})

async function start(settings: Record<string, string> = {}): Promise<HttpServer> {
  const server = await startHttpServer({ ...terminal.env, ...settings })
  started.push(server.child)
  return server
}

const [, connectModern] = httpClients.at(-1)!
const folders = { SPEECH_ALLOWED_DIRS: fixture('') }

describe('speech-mcp http', () => {
  it('the http command prints its URL, access and allowed folders to stderr only', async () => {
    const server = await start({ SPEECH_TOKENS: 'ann:ann-0123456789abcdef' })
    expect(server.stderr()).toMatch(
      /^speech-mcp serves http:\/\/127\.0\.0\.1:\d+\/mcp \(tokens: 1; allowed folders: none, .*\)\. In a browser: http:\/\/127\.0\.0\.1:\d+\/\n$/,
    )
    expect(server.stderr()).not.toContain('ann')
    expect(await server.stop()).toBe(0)
  })

  it('the http command reads only configured folders, and starts beside a proxy that it cannot use', async () => {
    const proxy = { https_proxy: 'socks5://someone:secret@127.0.0.1:1', NO_PROXY: '' }
    const server = await start({ HOME: fixture(''), ...proxy })
    const [warning = ''] = server.stderr().split('\n')
    expect(JSON.parse(warning)).toMatchObject({
      level: 'warn',
      event: 'proxy-is-not-supported',
      name: 'HTTPS_PROXY',
    })
    expect(server.stderr()).not.toMatch(/secret|someone/)
    const client = await connectModern({ url: server.url })
    const refused = await client.call('transcribe_audio', { audio: fixture('voice-note.ogg') })
    expect(refused).toMatchObject({ isError: true })
    expect(refused.content[0].text).toContain('OUTSIDE_ALLOWED_DIRS')
    await client.close()
    await server.stop()
  })

  describe('one server for all clients', () => {
    let server: HttpServer
    beforeAll(async () => {
      server = await startHttpServer({ ...terminal.env, ...folders })
    })
    afterAll(async () => expect(await server.stop()).toBe(0))

    it.each(httpClients)('the http command transcribes for %s', async (context, connectHttp) => {
      const client = await connectHttp({ url: server.url })
      const result = await client.call('transcribe_audio', { audio: fixture('voice-note.ogg'), context })
      expect(plainWords(result.structuredContent.text)).toBe(`[0:00] ${truthText(truth('voice-note'))}`)
      await client.close()
    })
  })

  it('the http command explains why an address cannot be served', async () => {
    const server = await start()
    const taken = await terminal.run(['http', '--speech-http-port', new URL(server.url).port])
    expect([taken.code, taken.stdout]).toEqual([2, ''])
    expect(taken.stderr).toMatch(/^CONFIG_INVALID: Port \d+ is used by another program\. .*SPEECH_HTTP_PORT/)
    await server.stop()
    const open = await terminal.run(['http', '--speech-http-host', '0.0.0.0'])
    expect(open.code).toBe(2)
    expect(open.stderr).toMatch(/^CONFIG_INVALID: .*SPEECH_TOKENS/)
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'the http command finishes billed requests and answers waiting calls before it exits: %s',
    async signal => {
      const data = { SPEECH_DATA_DIR: `${terminal.env.SPEECH_DATA_DIR}-${signal}` }
      const { file: audio } = await makeSpacedRecording(terminal.work, 4)
      const server = await start({ SPEECH_ALLOWED_DIRS: terminal.work, ...data })
      const off = terminal.dashscope.fault({ kind: 'slow', seconds: 1 })
      const session = await openSession(server.url)
      const params = { name: 'transcribe_audio', arguments: { audio, title: 'Stopped' } }
      const before = terminal.dashscope.requests.length
      const call = await session.post({ id: 1, method: 'tools/call', params })
      await vi.waitFor(() => expect(terminal.dashscope.inFlight()).toBeGreaterThan(0), { timeout: 30_000 })
      const ended = server.stop(signal)
      const answer = (await answerOf(call)) as { result: { structuredContent: { status: string } } }
      expect(answer.result.structuredContent.status).toMatch(/^(?:running|completed)$/)
      expect(await ended).toBe(0)
      off()
      const requests = terminal.dashscope.requests.slice(before)
      expect(requests.length).toBeGreaterThan(0)
      expect(requests.filter(({ aborted }) => aborted)).toEqual([])
    },
  )

  it('a second signal ends the http command at once', async () => {
    const server = await start(folders)
    const off = terminal.dashscope.fault({ kind: 'hang' })
    const params = { name: 'transcribe_audio', arguments: { audio: fixture('russian.flac') } }
    await post(server.url, { id: 1, method: 'tools/call', params })
    await vi.waitFor(() => expect(terminal.dashscope.inFlight()).toBe(1))
    server.child.kill('SIGTERM')
    const health = new URL('/healthz', server.url)
    await vi.waitFor(async () => expect((await fetch(health)).status).toBe(503))
    expect(await server.stop('SIGTERM')).toBe(1)
    off()
  })
})

describe('speech-mcp demo --serve', () => {
  it('demo --serve runs an emulator and a server, prints instructions, and cleans up', async () => {
    const folder = await tempFolder()
    const demo = spawn(process.execPath, [entry, 'demo', '--serve'], {
      env: { ...terminal.env, DASHSCOPE_API_KEY: 'sk-mine', SPEECH_HTTP_PORT: '0', TMPDIR: folder.path },
      stdio: ['ignore', 'pipe', 'ignore'],
      // A group of its own, as at a terminal.
      detached: true,
    })
    started.push(demo)
    const ended = once(demo, 'exit')
    const command: string[] = []
    let emulator = ''
    for await (const line of createInterface({ input: demo.stdout })) {
      emulator ||= /emulator listens on (\S+);/.exec(line)?.[1] ?? ''
      expect(line).not.toContain('sk-mine')
      if (line.includes('--tool-name transcribe_audio')) command.push(...line.trim().split(' '))
      if (line.includes('Ctrl-C')) break
    }
    expect(command.slice(0, 3)).toEqual(['npx', '@modelcontextprotocol/inspector', '--cli'])
    const url = command[3]!
    const audio = command.at(-1)!.replace(/^audio=/, '')
    const client = await connectModern({ url })
    const { structuredContent } = await client.call('transcribe_audio', { audio })
    expect(plainWords(structuredContent.text)).toContain(truthText(truth('voice-note')))
    await client.close()
    const asked = (key: string) =>
      fetch(`${emulator}/tasks/none`, { headers: { authorization: `Bearer ${key}` } })
    expect([(await asked('sk-mine')).status, (await asked('sk-wrong')).status]).toEqual([200, 401])
    expect(readdirSync(folder.path)).not.toEqual([])
    // Ctrl-C signals the whole process group.
    process.kill(-demo.pid!, 'SIGINT')
    expect(await ended).toEqual([0, null])
    await expect(fetch(url)).rejects.toThrow()
    expect(readdirSync(folder.path)).toEqual([])
    await folder.remove()
  })
})
