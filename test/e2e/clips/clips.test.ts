// Clips for agents and people: the tool, the resource and the command, with real clients of both protocol versions.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clients, httpClients } from '../../support/e2e/mcp-clients.ts'
import { fixture, plainWords, type System, startHttpServer, startSystem } from '../../support/e2e/system.ts'
import { openTerminal } from '../../support/e2e/terminal.ts'

let system: System
/** Of a short film with estimated times. */
let id: string
let uri: string

beforeAll(async () => {
  system = await startSystem()
  const { data } = await system.call('transcribe_audio', { audio: fixture('clip.mp4') })
  id = data.transcript_id
  uri = data.uri
})
afterAll(() => system.close())

const sentence =
  'First, crease the sheet along its longer side, then open it and turn both corners towards the middle.'

interface Block {
  type: string
  text?: string
  data?: string
  mimeType?: string
}

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    error => String(error.message),
  )

describe('get_clip', () => {
  it.each(clients)('a clip for %s is sound with its words and its times', async (_, connect) => {
    const client = await connect(system.env)
    try {
      const { content, structuredContent } = await client.call('get_clip', {
        transcript_id: id,
        from: 6,
        to: 7,
      })
      const [text, sound] = content as Block[]
      expect(content.map(({ type }: Block) => type)).toEqual(['text', 'audio'])
      expect(sound!.mimeType).toBe('audio/mpeg')
      expect(text!.text).toContain(sentence)
      expect(structuredContent).toMatchObject({ transcript_id: id, text: `[0:04] ${sentence}` })
      expect(structuredContent.from).toBeCloseTo(4.1, 0)
      expect(structuredContent.to).toBeCloseTo(9.9, 0)
      const [same] = await client.readResource(structuredContent.uri)
      expect(same).toMatchObject({ mimeType: 'audio/mpeg', blob: sound!.data })
    } finally {
      await client.close()
    }
  })

  it('the words of a clip are those that a recogniser hears in it', async () => {
    const [clip] = await readResource(`${uri}/audio?from=0:06&to=7`)
    const file = join(system.folder, 'quote.mp3')
    await writeFile(file, Buffer.from(clip!.blob!, 'base64'))
    const { data } = await system.call('transcribe_audio', { audio: file })
    expect(plainWords(data.text)).toContain(sentence)
    expect(data.text.length).toBeLessThan(sentence.length + 20)
  })

  it('wrong times, ids and recordings are refused with advice', async () => {
    const call = async (args: object) => (await system.call('get_clip', { transcript_id: id, ...args })).text
    expect(await call({ from: 9, to: 3 })).toMatch(/^BAD_INPUT: `from` must be less than `to`/)
    expect(await call({ from: 1e6 })).toMatch(/^BAD_INPUT: .*17 seconds \(0:17\)/)
    expect(await call({ transcript_id: 'tr_none' })).toMatch(/^TRANSCRIPT_NOT_FOUND/)
    const silent = await system.call('transcribe_audio', {
      audio: `data:audio/ogg;base64,${await noteBase64()}`,
    })
    expect(await call({ transcript_id: silent.data.transcript_id })).toMatch(/^RECORDING_LOST: .*not kept/)
  })
})

const noteBase64 = async () => (await readFile(fixture('voice-note.ogg'))).toString('base64')

async function readResource(address: string) {
  const { contents } = await system.client.readResource({ uri: address })
  return contents as { uri: string; mimeType?: string; text?: string; blob?: string; _meta?: Block }[]
}

describe('resources of a part', () => {
  it('a long stretch is read in parts of at most 150,000 characters, which follow each other', async () => {
    const { data } = await system.call('transcribe_audio', {
      audio: fixture('meeting.m4a'),
      wait_seconds: 120,
    })
    const [first] = await readResource(`${data.uri}/audio?to=1:00`)
    expect(first!.blob!.length).toBeLessThanOrEqual(150_000)
    expect(first!._meta).toMatchObject({ from: 0, next: expect.stringMatching(/audio\?from=[\d.]+&to=60$/) })
    const { to, next } = first!._meta as unknown as { to: number; next: string }
    const [second] = await readResource(next)
    expect((second!._meta as unknown as { from: number }).from).toBeCloseTo(to, 0)
  })

  it('a link to a second shows the text around it, and its id is taken by tools', async () => {
    const [shown] = await readResource(`${uri}?t=0:06`)
    expect(shown!.text).toMatch(/^clip, from 0:00 to 0:17\n\n\[0:0\d\] /)
    expect(shown!.text).toContain(sentence)
    const read = await system.call('get_transcript', { transcript_id: `${uri}?t=6` })
    expect(read.data.transcript_id).toBe(id)
    const found = await system.call('search_transcripts', { query: 'crease' })
    expect(found.text).toContain('?t=')
  })

  it('addresses of no part are not found, and times that are none are refused', async () => {
    const read = (address: string) => refusal(readResource(address))
    for (const address of [
      `${uri}?q=1`,
      `${uri}/audio?start=1`,
      `${uri}/audio/1`,
      'transcript://tr_no/audio?from=1',
    ])
      expect(await read(address), address).toMatch(/not found/i)
    for (const query of [
      '?t=x',
      '?t=1e9',
      '/audio?from=-1',
      '/audio?from=NaN',
      '/audio?from=5&to=2',
      '/audio?to=',
    ]) {
      expect(await read(`${uri}${query}`), query).toContain('BAD_INPUT')
    }
  })

  it('over HTTP no other owner gets a clip', async () => {
    const tokens = 'ann:token-of-ann-0123456789,ben:token-of-ben-0123456789'
    const server = await startHttpServer({ ...system.env, SPEECH_TOKENS: tokens })
    const [, connect] = httpClients[0]!
    const [ann, ben] = await Promise.all(
      ['ann', 'ben'].map(name => connect({ url: server.url, token: `token-of-${name}-0123456789` })),
    )
    try {
      const made = await ann!.call('transcribe_audio', { audio: fixture('clip.mp4'), wait_seconds: 60 })
      const { uri: own, transcript_id } = made.structuredContent
      expect((await ann!.readResource(`${own}/audio?from=6&to=7`))[0]!.blob!.length).toBeGreaterThan(1000)
      expect(await refusal(ben!.readResource(`${own}/audio?from=6&to=7`))).toMatch(/not found/i)
      expect((await ben!.call('get_clip', { transcript_id })).content[0].text).toMatch(
        /^TRANSCRIPT_NOT_FOUND/,
      )
    } finally {
      await Promise.all([ann!.close(), ben!.close()])
      await server.stop()
    }
  })
})

describe('speech-mcp clip', () => {
  it('a clip is written to a file, and what is no file name or time is refused', async () => {
    const terminal = await openTerminal()
    try {
      const { stderr } = await terminal.run(['transcribe', fixture('clip.mp4')])
      const own = /tr_\w+/.exec(stderr)![0]
      const written = await terminal.run(['clip', own, '--from', '0:06', '--to', '0:07', '-o', 'quote.mp3'])
      expect(written).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/^Wrote quote\.mp3: clip, from 0:04 to 0:(09|10)\.\n$/),
      })
      const bytes = await readFile(join(terminal.work, 'quote.mp3'))
      expect(bytes.subarray(0, 200).includes('Info')).toBe(true)
      expect((await terminal.run(['clip', own, '-o', 'quote.wav'])).code).toBe(2)
      expect((await terminal.run(['clip', own, '--from', 'soon', '-o', 'a.mp3'])).stderr).toMatch(
        /--from is no time/,
      )
      expect((await terminal.run(['clip'])).code).toBe(2)
    } finally {
      await terminal.close()
    }
  })
})
