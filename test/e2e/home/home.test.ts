// The home page's requests to the built program: uploads, prices, orders, jobs under way, and links to transcripts.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { fixture, type HttpServer, startHttpServer, truth, truthText } from '../../support/e2e/system.ts'
import { openTerminal, type Terminal } from '../../support/e2e/terminal.ts'
import { type HomeVisitor, signIn, visit } from '../../support/home/visitor.ts'

const tokens = { ann: 'ann-0123456789abcdef', bob: 'bob-0123456789abcdef' }

let terminal: Terminal
let server: HttpServer
let origin: string
let ann: HomeVisitor
let bob: HomeVisitor
beforeAll(async () => {
  terminal = await openTerminal()
  const users = Object.entries(tokens).map(pair => pair.join(':'))
  server = await startHttpServer({ ...terminal.env, SPEECH_TOKENS: users.join(',') })
  origin = new URL(server.url).origin
  ;[ann, bob] = await Promise.all([signIn(origin, tokens.ann), signIn(origin, tokens.bob)])
})
afterAll(async () => {
  await server.stop()
  await terminal.close()
})

/** Address of a recording that has arrived. */
async function uploaded(visitor: HomeVisitor, name: string): Promise<string> {
  const { json } = await visitor.call('request_upload', { name })
  const { url, audio } = json.structuredContent
  const sent = await fetch(url, { method: 'PUT', body: await readFile(fixture(name)) })
  expect(sent.status).toBe(201)
  return audio
}

async function listed(visitor: HomeVisitor, given = {}) {
  return (await visitor.call('search_transcripts', given)).json.structuredContent.transcripts
}

/** States of the stream of jobs under way, until one fits. */
async function jobsUntil(visitor: HomeVisitor, fits: (running: { id: string }[]) => boolean) {
  const gone = new AbortController()
  const headers = { cookie: visitor.cookie, 'x-speech-page': '1' }
  const response = await fetch(new URL('/home/changes', origin), { headers, signal: gone.signal })
  let text = ''
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece
    const states = text.match(/^data: .+(?=\n\n)/gm) ?? []
    const { running } = JSON.parse(states.at(-1)?.slice(6) ?? '{"running":[]}')
    if (states.length > 0 && fits(running)) {
      gone.abort()
      return running
    }
  }
  throw new Error('The stream ended.')
}

describe('a recording at the home page', () => {
  it('it is uploaded, has a price, is ordered, is under way, and is opened by a link', async () => {
    const audio = await uploaded(ann, 'voice-note.ogg')
    const priceBy = async (tool: string) =>
      (await ann.ask('/home/price', { body: { audio, tool } })).json.price
    expect(await priceBy('transcribe_audio')).toMatch(/^0:\d\d long\. It costs at most \$0\.000\d\.$/)
    const release = terminal.dashscope.fault({ kind: 'hang' })
    const ordered = await ann.call('transcribe_audio', { audio, title: 'Note', wait_seconds: 0 })
    const { transcript_id: id } = ordered.json.structuredContent
    const [job] = await jobsUntil(ann, running => running.some(one => one.id === id))
    expect(job).toMatchObject({ title: 'Note', tool: 'transcribe_audio', progress: { done: 0 } })
    expect(await jobsUntil(bob, () => true)).toEqual([])
    release()
    await ann.call('cancel_transcription', { transcript_id: id })
    await jobsUntil(ann, running => running.length === 0)
    const again = await ann.call('transcribe_audio', { audio, title: 'Note', wait_seconds: 240 })
    expect(again.json.structuredContent).toMatchObject({ transcript_id: id, status: 'completed' })
    expect(await priceBy('transcribe_audio')).toMatch(/costs nothing/)

    const [first] = truthText(truth('voice-note')).split(' ')
    const [found] = await listed(ann, { query: first })
    expect(found).toMatchObject({ transcript_id: id, title: 'Note', status: 'completed' })
    expect(found.matches[0].start).toBeGreaterThanOrEqual(0)
    const opened = await ann.ask(`/home/open/${id}?t=${Math.floor(found.matches[0].start)}`)
    expect([opened.status, opened.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(/^\.\.\/\.\.\/t\/[\w-]+\/#t=\d+$/),
    ])
    const page = new URL(opened.headers.get('location')!, new URL(`/home/open/${id}`, origin))
    expect(await (await fetch(new URL('data.json', page))).json()).toMatchObject({ title: 'Note' })
    const file = await ann.ask(`/home/open/${id}?format=srt`)
    const srt = await fetch(new URL(file.headers.get('location')!, new URL(`/home/open/${id}`, origin)))
    expect(srt.headers.get('content-disposition')).toMatch(/^attachment.*\.srt"$/)
  })

  it('other owners get neither its price nor its text, and a link without a session leads to the sign-in', async () => {
    const audio = await uploaded(ann, 'clip.mp4')
    const price = await bob.ask('/home/price', { body: { audio, tool: 'transcribe_audio' } })
    expect([price.status, price.json.error]).toEqual([400, expect.stringMatching(/^UPLOAD_NOT_FOUND/)])
    const [{ transcript_id: id }] = await listed(ann)
    expect(await listed(bob)).toEqual([])
    const opened = await bob.ask(`/home/open/${id}`)
    const data = new URL(
      'data.json',
      new URL(opened.headers.get('location')!, new URL('/home/open/x', origin)),
    )
    expect((await fetch(data)).status).toBe(404)
    const nobody = await visit(origin).ask(`/home/open/${id}`)
    expect([nobody.status, nobody.headers.get('location')]).toEqual([303, '../../'])
    const foreign = await ann.ask(`/home/open/${id}`, { headers: { 'sec-fetch-site': 'cross-site' } })
    expect(foreign.headers.get('location')).toBe('../../')
  })

  it.each([['/etc/passwd'], ['https://example.com/a.mp3'], ['upload://a\n/etc/passwd'], [7], [undefined]])(
    '%j has no price here',
    async audio => {
      const { status, json } = await ann.ask('/home/price', { body: { audio, tool: 'transcribe_audio' } })
      expect([status, json.error]).toEqual([400, expect.stringMatching(/^BAD_INPUT: `audio` is no upload/)])
    },
  )

  it.each(['..%2f..%2fmcp', 'a/b', '', `${'a'.repeat(200)}`])('no link leads to %j', async id => {
    const { status } = await ann.ask(`/home/open/${id}`)
    expect([403, 404]).toContain(status)
  })

  it('a title may hold anything: it is data of the answer, not part of a page', async () => {
    const audio = await uploaded(ann, 'clip.mp4')
    const title = '</script><script>alert(1)</script>'
    const ordered = await ann.call('transcribe_audio', { audio, title, wait_seconds: 240 })
    const { transcript_id } = ordered.json.structuredContent
    expect((await listed(ann))[0]).toMatchObject({ transcript_id, title })
    expect((await fetch(origin, { headers: { accept: 'text/html' } })).headers.get('content-type')).toMatch(
      /html/,
    )
    const page = await (await fetch(origin, { headers: { accept: 'text/html' } })).text()
    expect(page).not.toContain('alert(1)')
    await ann.call('delete_transcript', { transcript_id })
    await vi.waitFor(async () => expect(JSON.stringify(await listed(ann))).not.toContain(transcript_id))
  })

  it('a body that is too large, or is no JSON object, is refused', async () => {
    for (const body of ['[]', '{', JSON.stringify({ audio: 'a'.repeat(30_000) })])
      expect((await ann.ask('/home/price', { body })).status).toBe(400)
  })
})
