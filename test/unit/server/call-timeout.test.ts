// Calls and requests whose work takes longer than they may: each is answered in time, and its work goes on.
import { type CallToolResult, Client, InMemoryTransport, type Transport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { DisconnectReason, Jobs, WatchOptions } from '../../../src/jobs/jobs.ts'
import { createServer } from '../../../src/server/server.ts'
import { fakeJobs } from '../../support/jobs/fake-jobs.ts'

const client = new Client({ name: 'test', version: '1' })
const reasons: (DisconnectReason | undefined)[] = []

/** Never resolves, and notes how a call leaves. */
function never(...args: unknown[]): Promise<never> {
  const watch = args.at(-1) as Partial<WatchOptions>
  watch.signal?.addEventListener('abort', () => reasons.push(watch.disconnectReason?.()))
  return new Promise(() => {})
}

beforeAll(async () => {
  const [here, there] = InMemoryTransport.createLinkedPair()
  const silent: Partial<Jobs> = {
    transcribe: (request, { signal }, watch) => never(request, { ...watch, signal }),
    format: never,
    read: never,
    list: never,
    search: never,
    cancel: never,
    rename: never,
    remove: never,
    recordings: never,
    foldersOpen: true,
  }
  const options = { jobs: { ...fakeJobs(), ...silent }, version: '1', waitSeconds: 10 }
  const connection = { owner: 'local', era: 'legacy', push: true, closingCancels: false } as const
  await createServer(options, connection).connect(there as Transport)
  await client.connect(here)
})
afterAll(() => client.close())
beforeEach(() => void reasons.splice(0))

const id = { transcript_id: 'tr_1' }

it.each([
  ['transcribe_audio', { audio: '/a.wav', wait_seconds: 0 }, 1],
  ['diarize_audio', { audio: '/a.wav', wait_seconds: 7 }, 8],
  // A recording without an explicit wait may be a short one.
  ['transcribe_audio', { audio: '/a.wav' }, 46],
  ['format_text', { text: 'So it is', wait_seconds: 2 }, 3],
  ['get_transcript', { ...id, wait_seconds: 3 }, 4],
  ['search_transcripts', { query: 'word' }, 5],
  ['search_transcripts', {}, 5],
  ['export_transcript', { ...id, save_as: '/a.srt' }, 5],
  ['find_recordings', {}, 5],
  ['update_transcript', { ...id, title: 'Talk' }, 5],
  ['cancel_transcription', id, 5],
  ['delete_transcript', id, 5],
])('%s with %j is answered within %d s', async (name, args, seconds) => {
  vi.useFakeTimers()
  try {
    let result: CallToolResult | undefined
    void client.callTool({ name, arguments: args }).then(answer => {
      result = answer as CallToolResult
    })
    await vi.advanceTimersByTimeAsync(750 * seconds)
    expect(result).toBeUndefined()
    await vi.advanceTimersByTimeAsync(250 * seconds)
    expect(result).toMatchObject({ isError: true })
    expect(JSON.stringify(result)).toContain('CALL_TIMEOUT')
    expect(reasons.every(reason => reason === undefined || reason === 'detached')).toBe(true)
  } finally {
    vi.useRealTimers()
  }
})

const uri = 'transcript://tr_1'
const ref = { type: 'ref/resource', uri: 'transcript://{id}' } as const
const requests: [string, () => Promise<unknown>][] = [
  ['a list of resources', () => client.listResources()],
  ['a resource', () => client.readResource({ uri })],
  ['a file as a resource', () => client.readResource({ uri: `${uri}/docx` })],
  ['a subscription', () => client.subscribeResource({ uri })],
  ['a prompt', () => client.getPrompt({ name: 'draft_minutes', arguments: id })],
  ['a completion', () => client.complete({ ref, argument: { name: 'id', value: 'tr' } })],
]

it.each(requests)('%s is answered within 5 s', async (_, send) => {
  vi.useFakeTimers()
  try {
    let failure: unknown
    send().catch(error => {
      failure = error
    })
    await vi.advanceTimersByTimeAsync(3750)
    expect(failure).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1250)
    expect(String(failure)).toContain('CALL_TIMEOUT')
  } finally {
    vi.useRealTimers()
  }
})
