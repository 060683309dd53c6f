// Change notifications over stdio: a transcript grows, is renamed or deleted.
import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeSpacedRecording } from '../../support/audio/spaced-recording.ts'
import { silentWav } from '../../support/e2e/requests.ts'
import { entry, plainWords, type System, startSystem } from '../../support/e2e/system.ts'

/** A client with change notifications, for both protocol generations. */
interface Listener {
  /** Received notifications in order: a URI, or `list`. */
  notifications: string[]
  watch(uri: string): Promise<{ end(): Promise<void> }>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into results freely
  call(name: string, args: Record<string, unknown>): Promise<any>
  read(uri: string): Promise<string>
  close(): Promise<void>
}

const info = { name: 'test', version: '1' }

async function legacy(env: Record<string, string>): Promise<Listener> {
  const client = new ClientV1(info)
  const notifications: string[] = []
  client.setNotificationHandler(
    ResourceUpdatedNotificationSchema,
    ({ params }) => void notifications.push(params.uri),
  )
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void notifications.push('list'))
  await client.connect(new StdioV1({ command: process.execPath, args: [entry], env }))
  return {
    notifications,
    async watch(uri) {
      await client.subscribeResource({ uri })
      return { end: async () => void (await client.unsubscribeResource({ uri })) }
    },
    ...common(client),
  }
}

async function modern(env: Record<string, string>): Promise<Listener> {
  const client = new ClientV2(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  const notifications: string[] = []
  client.setNotificationHandler(
    'notifications/resources/updated',
    ({ params }) => void notifications.push(params.uri),
  )
  client.setNotificationHandler('notifications/resources/list_changed', () => void notifications.push('list'))
  await client.connect(new StdioV2({ command: process.execPath, args: [entry], env }))
  await client.listen({ resourcesListChanged: true })
  return {
    notifications,
    async watch(uri) {
      const subscription = await client.listen({ resourceSubscriptions: [uri] })
      return { end: () => subscription.close() }
    },
    ...common(client as unknown as ClientV1),
  }
}

/** Behaviour that both generations share. */
function common(client: ClientV1): Pick<Listener, 'call' | 'read' | 'close'> {
  return {
    call: async (name, args) => (await client.callTool({ name, arguments: args })).structuredContent,
    read: async uri => ((await client.readResource({ uri })).contents[0] as { text: string }).text,
    close: () => client.close(),
  }
}

/** Silence that is no other test's silence: a recording that is done in a moment. */
function silence(which: number): string {
  const wav = silentWav()
  wav.writeInt16LE(which % 20, 44 + 2 * Math.floor(which / 20))
  return `data:audio/wav;base64,${wav.toString('base64')}`
}

let system: System
let number = 0

beforeAll(async () => {
  system = await startSystem()
  await system.dashscope.warmUp()
})
afterAll(() => system.close())

describe.each([
  ['legacy', legacy],
  ['modern', modern],
])('a %s client', (era, connect) => {
  let client: Listener
  beforeAll(async () => {
    client = await connect(system.env)
  })
  afterAll(() => client.close())
  beforeEach(() => void client.notifications.splice(0))

  const waitForNotification = (what: string) =>
    vi.waitFor(() => expect(client.notifications).toContain(what), { timeout: 20_000 })
  const transcribe = (audio: string, more = {}) => client.call('transcribe_audio', { audio, ...more })
  /** A transcript made by another process, so that this client was not notified yet. */
  const made = async () => (await system.call('transcribe_audio', { audio: silence(number++) })).data

  it('a client is notified until a growing transcript is complete', async () => {
    const { file, texts } = await makeSpacedRecording(system.folder, 4)
    const off = system.dashscope.fault({ kind: 'held', every: 2 })
    onTestFinished(off)
    const {
      transcript_id: id,
      uri,
      status,
    } = await transcribe(file, {
      wait_seconds: 0,
      // Each generation has its own recording: otherwise the second would be served from cache.
      context: era,
    })
    expect(status).toBe('running')
    await client.watch(uri)
    await waitForNotification(uri)
    expect(await client.read(uri)).toMatch(/^passages/)
    off()
    await vi.waitFor(async () => expect(await client.read(uri)).not.toContain('still being'), {
      timeout: 30_000,
    })
    const words = await client.call('get_transcript', { transcript_id: id, view: 'raw' })
    expect(words.status).toBe('completed')
    expect(plainWords(words.text)).toBe(texts.join(' '))
  })

  it('a client is notified of list changes when a transcript is created, renamed or deleted', async () => {
    const { transcript_id } = await transcribe(silence(number++))
    await waitForNotification('list')
    for (const [tool, args] of [
      ['update_transcript', { title: 'Nothing said' }],
      ['delete_transcript', {}],
    ] as const) {
      client.notifications.splice(0)
      await client.call(tool, { transcript_id, ...args })
      await waitForNotification('list')
    }
  })

  it('a client is notified only for the URI that it subscribed to', async () => {
    const [one, other] = [await made(), await made()]
    await client.watch(`${one.uri}/srt`)
    await client.call('update_transcript', { transcript_id: other.transcript_id, title: 'Another' })
    await client.call('update_transcript', { transcript_id: one.transcript_id, title: 'Renamed' })
    await waitForNotification(`${one.uri}/srt`)
    expect(client.notifications.filter(what => what !== 'list')).toEqual([`${one.uri}/srt`])
  })

  it('a client is not notified after it unsubscribes', async () => {
    const { transcript_id, uri } = await made()
    const watching = await client.watch(uri)
    const marker = await made()
    await client.watch(marker.uri)
    await watching.end()
    await client.call('update_transcript', { transcript_id, title: 'Unheard' })
    await client.call('update_transcript', { transcript_id: marker.transcript_id, title: 'Received' })
    await waitForNotification(marker.uri)
    expect(client.notifications).not.toContain(uri)
  })

  it('a client is notified of changes made by another process', async () => {
    const { transcript_id, uri } = await made()
    await client.watch(uri)
    await system.call('update_transcript', { transcript_id, title: 'From elsewhere' })
    await waitForNotification(uri)
    expect(await client.read(uri)).toMatch(/^From elsewhere/)
  })
})

describe('a subscription of a 2025 client', () => {
  let client: Listener
  beforeAll(async () => {
    client = await legacy(system.env)
  })
  afterAll(() => client.close())

  it.each([
    'transcript://tr_0000000000000000',
    'transcript://a b',
    'transcript://x/exe',
    'https://example.org/',
  ])('a subscription to %s is rejected as not found', async uri => {
    await expect(client.watch(uri)).rejects.toThrow(/not found/i)
  })

  it('the 101st subscription is rejected until another one ends', async () => {
    const uris: string[] = []
    while (uris.length < 101) {
      const { uri } = await client.call('transcribe_audio', { audio: silence(number++) })
      uris.push(uri, ...['txt', 'md', 'json', 'srt', 'vtt'].map(format => `${uri}/${format}`))
    }
    const [last, ...rest] = uris.slice(0, 101)
    const subscriptions = await Promise.all(rest.map(uri => client.watch(uri)))
    await expect(client.watch(last!)).rejects.toThrow(/100 subscriptions/)
    await client.watch(rest[0]!)
    await subscriptions[0]!.end()
    await client.watch(last!)
  })
})
