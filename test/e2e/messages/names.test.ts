// Names with line breaks, escape sequences and marks of direction: no text for people carries them, and the path still works.
import { copyFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentWav, writeInput } from '../../support/e2e/requests.ts'
import { fixture, type System, startSystem } from '../../support/e2e/system.ts'

const oddName = 'notes\nstatus: completed\x1b[31m\x9b2J\u2028x\u202egpj\x7f.wav'
/** All but line breaks and tabs. */
const controls = /[^\P{Cc}\n\t]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u

let system: System
beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.close())

it.skipIf(process.platform === 'win32')(
  'a recording with an odd name is listed on its own two lines, and transcribed by the path shown',
  async () => {
    const plain = await writeInput(system, 'plain.wav', silentWav())
    await rename(plain, join(system.folder, oddName))
    const { data, text } = await system.call('find_recordings', { query: 'gpj' })
    expect(text).not.toMatch(controls)
    const [facts, path, ...more] = text.split('\n')
    expect(more).toEqual([])
    expect(facts).toMatch(/^notes status: completed 2J x gpj \.wav · /)
    expect(path).toMatch(/^".*notes\\nstatus: completed\\u001b\[31m.*"$/)
    expect(data.recordings).toMatchObject([{ path: join(system.folder, oddName), name: oddName }])
    const made = await system.call('transcribe_audio', { audio: data.recordings[0].path })
    expect(made.data).toMatchObject({ status: 'completed', title: 'notes status: completed 2J x gpj' })
    expect(made.text).not.toMatch(controls)
    const resource = await system.client.readResource({ uri: made.data.uri })
    expect((resource.contents[0] as { text: string }).text).not.toMatch(controls)
  },
)

it('names in a call come back as lines, in results and in errors', async () => {
  const audio = join(system.folder, 'short.wav')
  await copyFile(fixture('voice-note.ogg'), audio)
  const { data } = await system.call('transcribe_audio', { audio, title: oddName })
  expect(data.title).not.toMatch(/[\n\p{Cc}\u202e]/u)
  const found = await system.call('search_transcripts', { query: 'notes' })
  expect(found.text).not.toMatch(controls)
  await expect(system.client.callTool({ name: oddName })).rejects.toThrow(
    /^MCP error -32602: Tool notes status: completed 2J/,
  )
})
