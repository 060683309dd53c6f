// A server whose program is updated or removed while it runs.
import { cpSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fixture, root, type System, startSystem } from '../../support/e2e/system.ts'

let system: System
beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.close())

it('a call that needs a file which is gone says that the program was replaced, and the server lives on', async () => {
  for (const name of ['dist', 'package.json'])
    cpSync(join(root, name), join(system.folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(system.folder, 'node_modules'))
  const entry = join(system.folder, 'dist', 'main.js')
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [entry], env: system.env, stderr: 'ignore' }),
  )
  const search = () => client.callTool({ name: 'search_transcripts', arguments: { query: 'budget' } })
  await search()
  rmSync(join(system.folder, 'dist'), { recursive: true })

  const recording = { audio: fixture('voice-note.ogg') }
  const { isError, content } = await client.callTool({ name: 'transcribe_audio', arguments: recording })
  expect(isError).toBe(true)
  expect((content as { text: string }[])[0]!.text).toMatch(
    /updated or removed while it ran. Start the server/,
  )
  expect((await search()).isError).not.toBe(true)
  await client.close()
})
