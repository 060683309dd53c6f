// What clients of both protocol eras meet: tools, results, progress, cancelling, resources.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type AnyClient, clients, type ProgressUpdate } from './support/clients.ts'
import { childrenOf } from './support/processes.ts'
import { fixture, plainWords, type System, startSystem, truth, truthText } from './support/system.ts'

let system: System

beforeAll(async () => {
  system = await startSystem()
  await system.standin.warmUp()
})
afterAll(() => system.close())

describe.each(clients)('%s', (_, connect) => {
  let client: AnyClient
  beforeAll(async () => {
    client = await connect(system.env)
  })
  afterAll(() => client.close())

  it('lists the tools', async () => {
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(['transcribe_audio', 'get_transcript'])
  })

  it('gives the same facts as data and as text', async () => {
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

  it('reports progress that rises to the end', async () => {
    const updates: ProgressUpdate[] = []
    const off = system.standin.fault({ kind: 'slow', seconds: 0.3 })
    await client.call(
      'transcribe_audio',
      { audio: fixture('interview.mp3') },
      { onprogress: update => updates.push(update) },
    )
    off()
    expect(updates.length).toBeGreaterThan(1)
    for (let i = 1; i < updates.length; i++)
      expect(updates[i]!.progress).toBeGreaterThan(updates[i - 1]!.progress)
    expect(updates[0]!.message).toMatch(/\w/)
    for (const { progress, total } of updates)
      expect(progress).toBeLessThanOrEqual(total ?? Number.POSITIVE_INFINITY)
  })

  it('stops ffmpeg when the call is cancelled', async () => {
    const slow = join(system.folder, 'slow-ffmpeg')
    writeFileSync(slow, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 })
    const other = await connect({ ...system.env, FFMPEG_PATH: slow })
    const stop = new AbortController()
    const call = other.call('transcribe_audio', { audio: fixture('meeting.m4a') }, { signal: stop.signal })
    call.catch(() => {})
    await vi.waitFor(() => expect(childrenOf(other.pid()).join()).toContain('sleep 60'), { timeout: 10_000 })
    stop.abort()
    await expect(call).rejects.toThrow()
    await vi.waitFor(() => expect(childrenOf(other.pid())).toEqual([]), { timeout: 5_000 })
    await other.close()
  })

  it('stops the requests when the call is cancelled', async () => {
    const off = system.standin.fault({ kind: 'hang' })
    const stop = new AbortController()
    const before = system.standin.requests.length
    const call = client.call('transcribe_audio', { audio: fixture('meeting.m4a') }, { signal: stop.signal })
    call.catch(() => {})
    await vi.waitFor(() => expect(system.standin.inFlight()).toBeGreaterThan(0), { timeout: 10_000 })
    stop.abort()
    await expect(call).rejects.toThrow()
    await vi.waitFor(() => expect(system.standin.inFlight()).toBe(0), { timeout: 5_000 })
    expect(system.standin.requests.slice(before).every(({ aborted }) => aborted)).toBe(true)
    off()
    const { isError } = await client.call('transcribe_audio', { audio: fixture('jfk.wav') })
    expect(isError).toBeFalsy()
  })

  it('reads a transcript as a resource, in every format', async () => {
    const { structuredContent } = await client.call('transcribe_audio', { audio: fixture('jfk.wav') })
    const uri: string = structuredContent.uri
    const [readable] = await client.readResource(uri)
    expect(readable).toMatchObject({ uri, mimeType: 'text/plain' })
    expect(readable!.text).toContain('ask not what your country can do for you')
    const starts = { txt: 'And so,', md: '# jfk', json: '{', srt: '1\n00:00:0', vtt: 'WEBVTT' }
    for (const [format, start] of Object.entries(starts)) {
      const [file] = await client.readResource(`${uri}/${format}`)
      expect(file!.text!.startsWith(start), format).toBe(true)
    }
    const { resources } = await client.listResources()
    expect(resources[0]).toMatchObject({ uri, title: 'jfk' })
    expect(await client.complete('transcript://{id}', 'id', uri.slice(13, 20))).toContain(uri.slice(13))
    expect(await client.complete('transcript://{id}/{format}', 'format', 's')).toEqual(['srt'])
  })

  it.each(['transcript://tr_0000000000000000', 'transcript://tr_0000000000000000/srt', 'transcript://x/exe'])(
    'says that %s is not there',
    async uri => {
      await expect(client.readResource(uri)).rejects.toThrow(/not found/i)
    },
  )

  it('answers wrong arguments and unknown tools without ending', async () => {
    const wrong = await client.call('transcribe_audio', { audio: 7 })
    expect(wrong.isError).toBe(true)
    expect(wrong.content[0].text).toContain('audio')
    await expect(client.call('sing', {})).rejects.toThrow(/sing/)
    const unknown = await client.call('get_transcript', { transcript_id: 'tr_nothing' })
    expect(unknown).toMatchObject({ isError: true })
    expect(unknown.structuredContent).toBeUndefined()
    expect(unknown.content[0].text).toMatch(/^TRANSCRIPT_NOT_FOUND: .+\. .+\.$/)
  })
})
