// Folders and several recordings through the tools: a plan with its price, agreement, one handle, and a list of results.
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeShortMeeting } from '../../support/e2e/diarization-system.ts'
import { clients } from '../../support/e2e/mcp-clients.ts'
import { fixture, type System, startHttpServer, startSystem } from '../../support/e2e/system.ts'

let system: System
let count = 0

beforeAll(async () => {
  system = await startSystem({ bucket: true })
  await system.dashscope.warmUp()
})
afterAll(() => system.close())

/** A folder with a voice note, a speech of eleven seconds in a folder of its own, a copy, and a text that is no recording. */
async function makeFolder(): Promise<string> {
  const folder = join(system.folder, `talks ${count++}`)
  await mkdir(join(folder, 'deep'), { recursive: true })
  await copyFile(fixture('voice-note.ogg'), join(folder, 'note.ogg'))
  await copyFile(fixture('jfk.wav'), join(folder, 'deep', 'jfk.wav'))
  await copyFile(fixture('jfk.wav'), join(folder, 'again.wav'))
  await writeFile(join(folder, 'broken.mp3'), 'This is no recording.')
  return folder
}

/** Options that no other test has asked for: nothing is there already. */
const fresh = () => ({ context: `Test ${count++}`, wait_seconds: 60 })

describe('a folder', () => {
  it('the first call returns a plan, and the price as an argument begins the batch', async () => {
    const [folder, more] = [await makeFolder(), fresh()]
    const before = system.dashscope.requests.length
    const plan = await system.call('transcribe_audio', { audio: folder, ...more })
    expect(plan.isError).toBe(false)
    expect(plan.data).toMatchObject({
      status: 'planned',
      counts: { recordings: 2, copies: 1, unreadable: 1 },
      next_step: expect.stringContaining(`confirm_usd=${plan.data.max_usd}`),
    })
    expect(plan.data.max_usd).toBeGreaterThan(0)
    expect(plan.text).toContain('"deep/jfk.wav" is the same recording as "again.wav"')
    expect(plan.text).toMatch(/broken\.mp3" cannot be read: NOT_AUDIO/)
    expect(system.dashscope.requests).toHaveLength(before)

    const tooLow = await system.call('transcribe_audio', {
      audio: folder,
      ...more,
      confirm_usd: plan.data.max_usd / 2,
    })
    expect(tooLow.data.status).toBe('planned')
    const batch = await system.call('transcribe_audio', {
      audio: folder,
      ...more,
      confirm_usd: plan.data.max_usd,
    })
    expect(batch.data).toMatchObject({ status: 'partial', transcript_id: expect.stringMatching(/^ba_/) })
    expect(batch.data.recordings.map(({ name, status }: Record<string, string>) => [name, status])).toEqual([
      ['again.wav', 'completed'],
      ['note.ogg', 'completed'],
    ])
    expect(batch.data.cost_usd).toBeLessThanOrEqual(plan.data.max_usd)
    expect(system.dashscope.requests).toHaveLength(before + 2)

    const again = await system.call('transcribe_audio', { audio: folder, ...more })
    expect(again.data).toMatchObject({ transcript_id: batch.data.transcript_id, cost_usd: 0 })
    const read = await system.call('get_transcript', { transcript_id: batch.data.transcript_id })
    expect(read.data.recordings).toEqual(again.data.recordings)
    const [{ transcript_id }] = read.data.recordings
    expect((await system.call('get_transcript', { transcript_id })).text).toMatch(/country/)
    expect(system.dashscope.requests).toHaveLength(before + 2)
  })

  it('each result is a link to a resource, for clients that know links', async () => {
    const folder = await makeFolder()
    const args = { audio: folder, ...fresh(), confirm_usd: 1 }
    const { content } = (await system.client.callTool({ name: 'transcribe_audio', arguments: args })) as {
      content: { type: string; uri?: string; title?: string }[]
    }
    const links = content.filter(({ type }) => type === 'resource_link')
    expect(links.map(({ title }) => title)).toEqual(['again.wav', 'note.ogg'])
    const { contents } = await system.client.readResource({ uri: links[1]!.uri! })
    expect(JSON.stringify(contents)).toContain('Greta')
  })

  it('speakers are listed for each recording', async () => {
    const folder = join(system.folder, 'calls')
    await mkdir(folder)
    await makeShortMeeting(folder, 'call')
    const { data } = await system.call('diarize_audio', { audio: folder, ...fresh(), confirm_usd: 1 })
    expect(data.recordings).toMatchObject([
      { name: 'call.m4a', status: 'completed', speakers: ['S1', 'S2', 'S3'] },
    ])
  })

  it('a batch can be cancelled and deleted by its id, and is no transcript', async () => {
    const folder = await makeFolder()
    const { data } = await system.call('transcribe_audio', { audio: folder, ...fresh(), confirm_usd: 1 })
    const { transcript_id } = data
    const cancelled = await system.call('cancel_transcription', { transcript_id })
    expect(cancelled.data).toMatchObject({ status: 'partial', transcribed_seconds: expect.any(Number) })
    const file = await system.call('export_transcript', { transcript_id, save_as: join(folder, 'x.txt') })
    expect(file.text).toMatch(/^BAD_INPUT: This is the id of a batch/)
    expect((await system.call('delete_transcript', { transcript_id })).data.deleted).toBe(true)
    expect((await system.call('get_transcript', { transcript_id })).text).toMatch(/^TRANSCRIPT_NOT_FOUND/)
    const [{ transcript_id: kept }] = data.recordings
    expect((await system.call('get_transcript', { transcript_id: kept })).data.status).toBe('completed')
  })

  it('an empty folder is refused with its path', async () => {
    const folder = join(system.folder, 'nothing here')
    await mkdir(folder)
    const { isError, text } = await system.call('transcribe_audio', { audio: folder })
    expect({ isError, text }).toEqual({
      isError: true,
      text: expect.stringMatching(/^FILE_NOT_FOUND: The folder has no recording\..*nothing here"\.$/),
    })
  })
})

describe('several recordings', () => {
  it.each([
    ['lines', (all: string[]) => all.join('\n')],
    ['a list', (all: string[]) => all],
  ])('%s are a batch, and the plan says which of them failed', async (_, write) => {
    const folder = await makeFolder()
    const all = [join(folder, 'note.ogg'), join(folder, 'missing.ogg'), '/etc/hosts']
    const { data, text } = await system.call('transcribe_audio', { audio: write(all), ...fresh() })
    expect(data.counts).toEqual({ recordings: 1, copies: 0, unreadable: 2 })
    expect(text).toMatch(/missing\.ogg" cannot be read: FILE_NOT_FOUND/)
    expect(text).toMatch(/"\/etc\/hosts" cannot be read: OUTSIDE_ALLOWED_DIRS/)
  })

  it('when all of them failed, the error names each', async () => {
    const { isError, text } = await system.call('transcribe_audio', { audio: '/etc/hosts\n/etc/passwd' })
    expect(isError).toBe(true)
    expect(text).toMatch(/^OUTSIDE_ALLOWED_DIRS: .*"\/etc\/hosts".*"\/etc\/passwd"/)
  })
})

describe('over HTTP', () => {
  it('without open folders a folder gets the refusal of a file', async () => {
    const { SPEECH_ALLOWED_DIRS: _, ...env } = system.env
    const server = await startHttpServer(env)
    const [, connect] = clients[0]!
    const client = await connect({ url: server.url })
    try {
      const refusals = [system.folder, join(system.folder, 'nothing.wav')].map(async audio => {
        const { isError, content } = await client.call('transcribe_audio', { audio, confirm_usd: 1 })
        return { isError, text: content[0].text.replace(/Given: .*/, '') }
      })
      const [folder, file] = await Promise.all(refusals)
      expect(folder).toEqual(file)
      expect(folder).toMatchObject({ isError: true, text: expect.stringMatching(/^OUTSIDE_ALLOWED_DIRS/) })
    } finally {
      await client.close()
      await server.stop()
    }
  })
})
