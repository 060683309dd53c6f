// A server keeps an ffmpeg ready for the next voice note, and leaves none behind.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { isAlive } from '../../../src/system/processes.ts'
import { clients } from '../../support/e2e/mcp-clients.ts'
import { waitingDecodersOf } from '../../support/e2e/processes.ts'
import { fixture, type System, startSystem } from '../../support/e2e/system.ts'

const [, connect] = clients[0]!
let system: System
beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.close())

describe.runIf(process.platform === 'linux')('a server over stdio', () => {
  it.each(['disconnects', 'is killed'])('that %s ends the ffmpeg that waits for a voice note', async how => {
    const client = await connect(system.env)
    await client.listTools()
    await vi.waitFor(() => expect(waitingDecodersOf(client.pid())).toHaveLength(1))
    const context = how
    const answer = await client.call('transcribe_audio', { audio: fixture('voice-note.ogg'), context })
    expect(answer).toMatchObject({ structuredContent: { status: 'completed' } })
    await vi.waitFor(() => expect(waitingDecodersOf(client.pid())).toHaveLength(1))
    const waiting = waitingDecodersOf(client.pid())
    if (how === 'is killed') process.kill(client.pid(), 'SIGKILL')
    await client.close()
    await vi.waitFor(() => expect(waiting.filter(isAlive)).toEqual([]))
  })
})
