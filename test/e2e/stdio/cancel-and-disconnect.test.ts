// Shared jobs, aborted calls and cancel_transcription across clients and processes.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { SpacedRecording } from '../../support/audio/spaced-recording.ts'
import { clients, type McpTestClient, type ProgressUpdate } from '../../support/e2e/mcp-clients.ts'
import { type SpacedSystem, startSpacedSystem, uncachedOptions } from '../../support/e2e/spaced-system.ts'
import { plainWords, type System } from '../../support/e2e/system.ts'

let spaced: SpacedSystem
let system: System
let passages: SpacedRecording

beforeAll(async () => {
  spaced = await startSpacedSystem(5)
  system = spaced.system
  passages = spaced.passages
})
afterAll(() => system.close())

const transcribe: SpacedSystem['transcribe'] = args => spaced.transcribe(args)
const requestsOf: SpacedSystem['requestsOf'] = work => spaced.requestsOf(work)

describe('two processes on one data folder', () => {
  const connect = clients[0]![1]
  let other: McpTestClient
  beforeAll(async () => {
    other = await connect(system.env)
  })
  afterAll(() => other.close())

  it('two processes with the same request share one job, and both get the result', async () => {
    const request = uncachedOptions()
    const updates: ProgressUpdate[] = []
    const off = system.dashscope.fault({ kind: 'slow', seconds: 0.5 })
    const { answer, requests } = await requestsOf(() =>
      Promise.all([
        transcribe(request),
        other.call(
          'transcribe_audio',
          { audio: passages.file, ...request },
          { onprogress: update => updates.push(update) },
        ),
      ]),
    )
    off()
    const [mine, theirs] = answer
    expect(theirs.structuredContent).toMatchObject({
      transcript_id: mine.data.transcript_id,
      status: 'completed',
    })
    expect(theirs.structuredContent.text).toBe(mine.data.text)
    expect(updates.length).toBeGreaterThan(0)
    expect(requests).toBe(5)
  })

  it('a process takes over the job of another one that crashed', async () => {
    const request = uncachedOptions()
    const doomed = await connect(system.env)
    let answered = 0
    const off = system.dashscope.fault({ kind: 'hang', when: () => answered++ >= 2 })
    const lost = doomed.call('transcribe_audio', { audio: passages.file, ...request })
    lost.catch(() => {})
    await vi.waitFor(() => expect(answered).toBe(5), { timeout: 20_000 })
    process.kill(doomed.pid(), 'SIGKILL')
    await doomed.close()
    off()
    const { answer, requests } = await requestsOf(() => transcribe(request))
    expect(plainWords(answer.data.text.replaceAll(/\[\d+:\d\d\]/g, ''))).toBe(spaced.allWords)
    expect(requests).toBe(3)
  })

  it('a process can cancel the job of another one', async () => {
    const request = uncachedOptions()
    const off = system.dashscope.fault({ kind: 'hang' })
    const { data } = await transcribe({ ...request, wait_seconds: 0 })
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBeGreaterThan(0))
    const { structuredContent } = await other.call('cancel_transcription', {
      transcript_id: data.transcript_id,
    })
    expect(structuredContent.status).toBe('cancelled')
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBe(0))
    off()
  })
})

describe('a transcript of a running job', () => {
  async function startHeld() {
    const request = uncachedOptions()
    let held = 0
    const off = system.dashscope.fault({ kind: 'held', when: () => ++held > 0 })
    const { data } = await transcribe({ ...request, wait_seconds: 0 })
    expect(data.status).toBe('running')
    await vi.waitFor(() => expect(held).toBe(5))
    return { request, id: data.transcript_id as string, off }
  }

  it('a transcript renamed during its job keeps the new title', async () => {
    const { request, id, off } = await startHeld()
    const title = 'Named while it ran'
    await system.call('update_transcript', { transcript_id: id, title })
    off()
    expect((await transcribe(request)).data).toMatchObject({ transcript_id: id, title, status: 'completed' })
    expect((await system.call('get_transcript', { transcript_id: id })).data.title).toBe(title)
  })

  it('a transcript deleted by another process during its job stays deleted', async () => {
    const { id, off } = await startHeld()
    const other = await clients[0]![1](system.env)
    await other.call('delete_transcript', { transcript_id: id })
    await other.close()
    const listed = async () => {
      const { resources } = await system.client.listResources()
      return resources.some(({ uri }) => uri.includes(id))
    }
    // The worker finds out with its next look at the job.
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBe(0))
    off()
    await vi.waitFor(async () => expect(await listed()).toBe(false), { interval: 200 })
    const { text } = await system.call('get_transcript', { transcript_id: id })
    expect(text).toMatch(/^TRANSCRIPT_NOT_FOUND: /)
  })
})

describe('an aborted call', () => {
  it('a call that times out at the client does not stop its job', async () => {
    const request = uncachedOptions()
    const off = system.dashscope.fault({ kind: 'slow', seconds: 1.5 })
    const { answer, requests } = await requestsOf(async () => {
      const call = system.client.callTool(
        { name: 'transcribe_audio', arguments: { audio: passages.file, ...request } },
        undefined,
        { timeout: 1000 },
      )
      await expect(call).rejects.toThrow(/timed out/i)
      off()
      return transcribe(request)
    })
    expect(answer.data.status).toBe('completed')
    expect(requests).toBe(5)
    expect(system.dashscope.requests.slice(-5).every(({ aborted }) => !aborted)).toBe(true)
  })

  it('a cancelled call stops its job, and finished chunks are not requested again', async () => {
    const request = uncachedOptions()
    let answered = 0
    const off = system.dashscope.fault({ kind: 'hang', when: () => answered++ >= 3 })
    const stop = new AbortController()
    const call = system.client.callTool(
      { name: 'transcribe_audio', arguments: { audio: passages.file, ...request } },
      undefined,
      { signal: stop.signal },
    )
    call.catch(() => {})
    await vi.waitFor(() => expect(answered).toBe(5), { timeout: 20_000 })
    stop.abort('enough')
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBe(0))
    off()
    const { answer, requests } = await requestsOf(() => transcribe(request))
    expect(answer.data.status).toBe('completed')
    expect(requests).toBe(2)
  })

  it('a cancelled call does not stop a job that another caller waits for', async () => {
    const request = uncachedOptions()
    const off = system.dashscope.fault({ kind: 'slow', seconds: 1 })
    const stop = new AbortController()
    const first = system.client.callTool(
      { name: 'transcribe_audio', arguments: { audio: passages.file, ...request } },
      undefined,
      { signal: stop.signal },
    )
    first.catch(() => {})
    const second = transcribe(request)
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBeGreaterThan(0))
    stop.abort()
    off()
    expect((await second).data.status).toBe('completed')
  })
})

describe('cancel_transcription', () => {
  it('cancel_transcription stops the job and keeps the text, and the same request resumes it', async () => {
    const request = uncachedOptions()
    let answered = 0
    const off = system.dashscope.fault({ kind: 'hang', when: () => answered++ >= 3 })
    const { data } = await transcribe({ ...request, wait_seconds: 0 })
    await vi.waitFor(() => expect(answered).toBe(5), { timeout: 20_000 })
    const { data: cancelled } = await system.call('cancel_transcription', {
      transcript_id: data.transcript_id,
    })
    expect(cancelled).toMatchObject({ status: 'cancelled', transcript_id: data.transcript_id })
    await vi.waitFor(() => expect(system.dashscope.inFlight()).toBe(0))
    const read = await system.call('get_transcript', { transcript_id: data.transcript_id })
    expect(read.data.status).toBe('cancelled')
    expect(read.data.text.length).toBeGreaterThan(50)
    off()
    const { answer, requests } = await requestsOf(() => transcribe(request))
    expect(answer.data.status).toBe('completed')
    expect(requests).toBe(2)
  })
})
