// A killed process has no chance to end what it has started.
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { isAlive } from '../../../src/system/processes.ts'
import { clients } from '../../support/e2e/mcp-clients.ts'
import { fixture, type System, startSystem } from '../../support/e2e/system.ts'

const [, connect] = clients[0]!
let system: System
beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.close())

const eventually = { timeout: 20_000, interval: 20 }

/** A wrapper whose child hangs: both ids stand in the file, once both run. */
async function hangingFfmpeg(folder: string) {
  const [path, file] = [join(folder, 'ffmpeg'), join(folder, 'pids')]
  await writeFile(path, `#!/bin/sh\nsleep 600 &\necho $$ $! > '${file}'\nwait\n`, { mode: 0o755 })
  const pids = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split(/\s+/) : []).map(Number)
  return { path, pids }
}

it.skipIf(process.platform === 'win32')('an ffmpeg that hangs ends with a killed server', async () => {
  const { path, pids } = await hangingFfmpeg(system.folder)
  const client = await connect({ ...system.env, FFMPEG_PATH: path })
  await client.call('transcribe_audio', { audio: fixture('voice-note.ogg'), wait_seconds: 0 })
  await vi.waitFor(() => expect(pids()).toHaveLength(2), eventually)
  // The wrapper may run before the server knows its id. A server that answers knows it.
  await client.call('search_transcripts', {})
  process.kill(client.pid(), 'SIGKILL')
  await vi.waitFor(() => expect(pids().filter(isAlive)).toEqual([]), eventually)
  await client.close()
})
