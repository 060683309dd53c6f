// MCP conformance for all client generations over stdio and HTTP: tools, progress, cancellation, resources, subscriptions.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { testFfmpeg } from '../support/audio/ffmpeg.ts'
import { makeSpacedRecording, type SpacedRecording } from '../support/audio/spaced-recording.ts'
import { clients, httpClients, type McpTestClient, type ProgressUpdate } from '../support/e2e/mcp-clients.ts'
import { childrenOf } from '../support/e2e/processes.ts'
import {
  fixture,
  type HttpServer,
  plainWords,
  type System,
  startHttpServer,
  startSystem,
  truth,
  truthText,
} from '../support/e2e/system.ts'
import { documentText } from '../support/rendered.ts'

let system: System
let passages: SpacedRecording
/** Of all servers. */
let env: Record<string, string>
let server: HttpServer

beforeAll(async () => {
  system = await startSystem()
  await system.dashscope.warmUp()
  passages = await makeSpacedRecording(system.folder, 2)
  env = { ...system.env, FFMPEG_PATH: await makeFfmpeg() }
  server = await startHttpServer(env)
})
afterAll(async () => {
  await server.stop()
  await system.close()
})

/** Present while ffmpeg hangs. */
const obstacle = () => join(system.folder, 'obstacle')

/** An ffmpeg that hangs while there is an obstacle. */
async function makeFfmpeg(): Promise<string> {
  const path = join(system.folder, 'ffmpeg')
  const script = ['#!/bin/sh', `[ -e '${obstacle()}' ] && exec sleep 60`, `exec '${await testFfmpeg()}' "$@"`]
  await writeFile(path, script.join('\n'), { mode: 0o755 })
  return path
}

/** A client and the process that serves it. */
interface Pair {
  client: McpTestClient
  pid: number
}

/** Over stdio each client starts a server of its own; over HTTP all use the same one. */
const rows: [name: string, open: () => Promise<Pair>][] = [
  ...clients.map(([name, connect]): (typeof rows)[number] => [
    `${name}, stdio`,
    async () => {
      const client = await connect(env)
      return { client, pid: client.pid() }
    },
  ]),
  ...httpClients.map(([name, connect]): (typeof rows)[number] => [
    `${name}, HTTP`,
    async () => ({ client: await connect({ url: server.url }), pid: server.child.pid! }),
  ]),
]

let number = 0
/** Options with a new context: they make a new job. */
const fresh = () => ({ context: `run ${number++}` })

describe.each(rows)('%s', (name, open) => {
  let pair: Pair
  let client: McpTestClient
  beforeAll(async () => {
    pair = await open()
    client = pair.client
  })
  afterAll(() => client.close())

  it('a client lists the tools', async () => {
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual([
      ...['transcribe_audio', 'diarize_audio', 'format_text', 'get_transcript', 'get_clip'],
      ...[
        'export_transcript',
        'search_transcripts',
        'find_recordings',
        ...(name.includes('HTTP') ? ['request_upload'] : []),
        'update_transcript',
        'cancel_transcription',
        'delete_transcript',
      ],
    ])
  })

  it('a result has the same facts as data and as text', async () => {
    const {
      structuredContent: data,
      content,
      isError,
    } = await client.call('transcribe_audio', {
      audio: fixture('voice-note.ogg'),
      title: 'Note to self',
    })
    expect(isError).toBeFalsy()
    const [{ text }] = content
    expect(data).toMatchObject({ status: 'completed', title: 'Note to self', language: 'en', warnings: [] })
    for (const fact of [
      data.status,
      data.transcript_id,
      data.uri,
      data.title,
      data.text,
      `(${data.language})`,
    ])
      expect(text).toContain(fact)
    expect(plainWords(data.text)).toBe(`[0:00] ${truthText(truth('voice-note'))}`)
  })

  it('progress increases up to the total', async () => {
    const updates: ProgressUpdate[] = []
    // One chunk is still away when the other has come.
    const faults = [{ seconds: 1, times: 1 }, { seconds: 0.3 }]
    const offs = faults.map(fault => system.dashscope.fault({ kind: 'slow', ...fault }))
    await client.call(
      'transcribe_audio',
      { audio: passages.file, ...fresh() },
      { onprogress: update => updates.push(update) },
    )
    for (const off of offs) off()
    expect(updates.length).toBeGreaterThan(1)
    for (let i = 1; i < updates.length; i++)
      expect(updates[i]!.progress).toBeGreaterThan(updates[i - 1]!.progress)
    expect(updates[0]!.message).toMatch(/\w/)
    for (const { progress, total } of updates)
      expect(progress).toBeLessThanOrEqual(total ?? Number.POSITIVE_INFINITY)
  })

  it('cancelling a call stops ffmpeg', async () => {
    await writeFile(obstacle(), '')
    onTestFinished(() => rm(obstacle(), { force: true }))
    const stop = new AbortController()
    const request = { audio: passages.file, ...fresh() }
    const call = client.call('transcribe_audio', request, { signal: stop.signal })
    call.catch(() => {})
    await vi.waitFor(() => expect(childrenOf(pair.pid).join()).toContain('sleep 60'))
    stop.abort()
    await expect(call).rejects.toThrow()
    await vi.waitFor(() => expect(childrenOf(pair.pid)).toEqual([]))
  })

  it('cancelling a call stops the requests to the provider', async () => {
    const off = system.dashscope.fault({ kind: 'hang' })
    const stop = new AbortController()
    const before = system.dashscope.requests.length
    const request = { audio: passages.file, ...fresh() }
    const call = client.call('transcribe_audio', request, { signal: stop.signal })
    call.catch(() => {})
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBeGreaterThan(0))
    stop.abort()
    await expect(call).rejects.toThrow()
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBe(0))
    expect(system.dashscope.requests.slice(before).every(({ aborted }) => aborted)).toBe(true)
    off()
    const { isError } = await client.call('transcribe_audio', { audio: fixture('jfk.wav'), ...fresh() })
    expect(isError).toBeFalsy()
  })

  it('a client is notified when a transcript grows and when the list changes', async () => {
    const received = { updated: 0, listed: 0 }
    const endList = await client.onListChanged(() => received.listed++)
    const off = system.dashscope.fault({ kind: 'hang' })
    const request = { audio: passages.file, ...fresh() }
    const { structuredContent } = await client.call('transcribe_audio', { ...request, wait_seconds: 0 })
    expect(structuredContent.status).toBe('running')
    const end = await client.subscribe(structuredContent.uri, () => received.updated++)
    off()
    await client.call('cancel_transcription', { transcript_id: structuredContent.transcript_id })
    await client.call('transcribe_audio', request)
    await vi.waitFor(() => expect(received.updated).toBeGreaterThan(0))
    await vi.waitFor(() => expect(received.listed).toBeGreaterThan(0))
    await Promise.all([end(), endList()])
  })

  it('a client reads a transcript as a resource in every format', async () => {
    const { structuredContent } = await client.call('transcribe_audio', { audio: fixture('jfk.wav') })
    const uri: string = structuredContent.uri
    const [readable] = await client.readResource(uri)
    expect(readable).toMatchObject({ uri, mimeType: 'text/plain' })
    expect(readable!.text).toContain('ask not what your country can do for you')
    const starts = {
      txt: 'And so,',
      md: '# jfk',
      json: '{',
      srt: '1\n00:00:0',
      vtt: 'WEBVTT',
      csv: '\ufeffstart,',
    }
    for (const [format, start] of Object.entries(starts)) {
      const [file] = await client.readResource(`${uri}/${format}`)
      expect(file!.text!.startsWith(start), format).toBe(true)
    }
    const [document] = await client.readResource(`${uri}/docx`)
    const bytes = Buffer.from(document!.blob!, 'base64')
    expect(documentText(bytes)).toContain('ask not what your country can do for you')
    const { resources } = await client.listResources()
    expect(resources).toContainEqual(expect.objectContaining({ uri, title: 'jfk' }))
    expect(await client.complete('transcript://{id}', 'id', uri.slice(13, 20))).toContain(uri.slice(13))
    expect(await client.complete('transcript://{id}/{format}', 'format', 'sr')).toEqual(['srt'])
  })

  it.each(['transcript://tr_0000000000000000', 'transcript://tr_0000000000000000/srt', 'transcript://x/exe'])(
    'reading %s is answered with resource not found',
    async uri => {
      await expect(client.readResource(uri)).rejects.toThrow(/not found/i)
    },
  )

  it('wrong arguments and unknown tools get an error, and the server keeps running', async () => {
    const wrong = await client.call('transcribe_audio', { audio: {} })
    expect(wrong.isError).toBe(true)
    expect(wrong.content[0].text).toContain('audio')
    await expect(client.call('sing', {})).rejects.toThrow(/sing/)
    const unknown = await client.call('get_transcript', { transcript_id: 'tr_nothing' })
    expect(unknown).toMatchObject({ isError: true })
    expect(unknown.structuredContent).toBeUndefined()
    expect(unknown.content[0].text).toMatch(/^TRANSCRIPT_NOT_FOUND: .+\. .+\.$/)
  })
})
