// Jobs through the front door: waiting, coming back, attaching, gaps and their repair, account errors, the cost.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { dashscopeErrors } from '../src/standin/standin.ts'
import { type AnyClient, clients, type ProgressUpdate } from './support/clients.ts'
import { makePassages, type Passages } from './support/passages.ts'
import { fixture, plainWords, type System, startSystem, truth, truthText } from './support/system.ts'

let system: System
let passages: Passages
let number = 0

beforeAll(async () => {
  system = await startSystem()
  await system.standin.warmUp()
  passages = await makePassages(system.folder, 10)
})
afterAll(() => system.close())

/** A context that no call before had makes an order of its own, with chunks of its own. */
const unheard = () => ({ context: `run ${number++}` })
const transcribe = (args: Record<string, unknown>) =>
  system.call('transcribe_audio', { audio: passages.file, ...args })
const allWords = () => plainWords(passages.texts.join(' '))

async function words(id: string): Promise<string> {
  const { contents } = await system.client.readResource({ uri: `transcript://${id}/txt` })
  return plainWords((contents[0] as { text: string }).text)
}

async function requestsOf<T>(work: () => Promise<T>): Promise<{ answer: T; requests: number }> {
  const before = system.standin.requests.length
  const answer = await work()
  return { answer, requests: system.standin.requests.length - before }
}

describe('a call that would take too long', () => {
  it('returns in time with the text so far, and get_transcript waits for the rest', async () => {
    const wish = unheard()
    // The first four passages are heard at once, the others after a while.
    let answered = 0
    const off = system.standin.fault({ kind: 'slow', seconds: 4, when: () => answered++ >= 4 })
    const { data, text } = await transcribe({ ...wish, wait_seconds: 1 })
    expect(data.status).toBe('running')
    expect(text).toContain('status: running')
    expect(data.next_step).toContain('get_transcript')
    expect(data.next_step).toContain(data.transcript_id)
    const known = passages.texts.filter(said => plainWords(data.text).includes(said))
    expect(known.length).toBeGreaterThan(0)
    expect(data.coverage.gaps.map(({ reason }: { reason: string }) => reason)).toContain(
      'not transcribed yet',
    )
    off()
    const rest = await system.call('get_transcript', {
      transcript_id: data.transcript_id,
      view: 'raw',
      wait_seconds: 60,
    })
    expect(rest.data.status).toBe('completed')
    expect(plainWords(rest.data.text)).toBe(allWords())
    expect(rest.data.usage.estimated_cost_usd).toBeUndefined()
  })

  it('goes on when it is made again, and both have one id', async () => {
    const wish = unheard()
    const off = system.standin.fault({ kind: 'slow', seconds: 2 })
    const { answer, requests } = await requestsOf(async () => {
      const first = await transcribe({ ...wish, wait_seconds: 0 })
      off()
      const second = await transcribe({ ...wish, wait_seconds: 60 })
      return [first.data, second.data]
    })
    expect(answer.map(({ status }) => status)).toEqual(['running', 'completed'])
    expect(answer[0].transcript_id).toBe(answer[1].transcript_id)
    expect(requests).toBe(10)
  })

  it('is answered within the call where the recording is short, whatever it was to wait', async () => {
    const off = system.standin.fault({ kind: 'slow', seconds: 3 })
    const { data } = await system.call('transcribe_audio', {
      audio: fixture('voice-note.ogg'),
      wait_seconds: 0,
      ...unheard(),
    })
    off()
    expect(data.status).toBe('completed')
    expect(plainWords(data.text)).toContain(truthText(truth('voice-note')))
  })
})

describe('the same order', () => {
  it('is answered from the finished one: no request, no cost', async () => {
    const first = await transcribe({})
    const { answer, requests } = await requestsOf(() => transcribe({ timestamps: 'none' }))
    expect(requests).toBe(0)
    expect(answer.data.transcript_id).toBe(first.data.transcript_id)
    expect(answer.data.usage).toMatchObject({ audio_seconds: 0, cost_usd: 0 })
    expect(answer.data.usage.cached_seconds).toBeCloseTo(first.data.usage.audio_seconds, 2)
  })

  it('is known under another path and another title, which it then has', async () => {
    const wish = unheard()
    const first = await transcribe(wish)
    const copy = join(system.folder, 'a copy under another name.flac')
    copyFileSync(passages.file, copy)
    const { answer, requests } = await requestsOf(() => transcribe({ ...wish, audio: copy, title: 'Monday' }))
    expect(requests).toBe(0)
    expect(answer.data).toMatchObject({ transcript_id: first.data.transcript_id, title: 'Monday' })
  })

  it('placed twice at the same instant is one job', async () => {
    const wish = unheard()
    const { answer, requests } = await requestsOf(() => Promise.all([1, 2, 3].map(() => transcribe(wish))))
    expect(new Set(answer.map(({ data }) => data.transcript_id)).size).toBe(1)
    for (const { data } of answer) expect(data.status).toBe('completed')
    expect(requests).toBe(10)
  })

  it('with word times makes another transcript out of the same chunks', async () => {
    const wish = unheard()
    const first = await transcribe(wish)
    const { answer, requests } = await requestsOf(() => transcribe({ ...wish, timestamps: 'word' }))
    expect(requests).toBe(0)
    expect(answer.data.transcript_id).not.toBe(first.data.transcript_id)
    expect(answer.data.usage).toMatchObject({ audio_seconds: 0, cost_usd: 0 })
    expect(await words(answer.data.transcript_id)).toBe(allWords())
  })

  it('with another language or context is another order', async () => {
    const plain = await transcribe(unheard())
    const { requests } = await requestsOf(() => transcribe({ ...unheard(), language: 'en' }))
    expect(requests).toBe(10)
    expect(plain.data.status).toBe('completed')
  })
})

describe('two processes on one data folder', () => {
  const connect = clients[0]![1]
  let other: AnyClient
  beforeAll(async () => {
    other = await connect(system.env)
  })
  afterAll(() => other.close())

  it('make one job of the same order, and both are answered', async () => {
    const wish = unheard()
    const updates: ProgressUpdate[] = []
    const off = system.standin.fault({ kind: 'slow', seconds: 0.5 })
    const { answer, requests } = await requestsOf(() =>
      Promise.all([
        transcribe(wish),
        other.call(
          'transcribe_audio',
          { audio: passages.file, ...wish },
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
    expect(requests).toBe(10)
  })

  it('take over from each other when one dies', async () => {
    const wish = unheard()
    const doomed = await connect(system.env)
    let answered = 0
    const off = system.standin.fault({ kind: 'hang', when: () => answered++ >= 5 })
    const lost = doomed.call('transcribe_audio', { audio: passages.file, ...wish })
    lost.catch(() => {})
    await vi.waitFor(() => expect(answered).toBe(10), { timeout: 20_000 })
    process.kill(doomed.pid(), 'SIGKILL')
    await doomed.close()
    off()
    const { answer, requests } = await requestsOf(() => transcribe(wish))
    expect(plainWords(answer.data.text.replaceAll(/\[\d+:\d\d\]/g, ''))).toBe(allWords())
    expect(requests).toBe(5)
  })

  it('cancel each other’s work where they are told to', async () => {
    const wish = unheard()
    const off = system.standin.fault({ kind: 'hang' })
    const { data } = await transcribe({ ...wish, wait_seconds: 0 })
    await vi.waitFor(() => expect(system.standin.inFlight()).toBeGreaterThan(0), { timeout: 10_000 })
    const { structuredContent } = await other.call('cancel_transcription', {
      transcript_id: data.transcript_id,
    })
    expect(structuredContent.status).toBe('cancelled')
    await vi.waitFor(() => expect(system.standin.inFlight()).toBe(0), { timeout: 10_000 })
    off()
  })
})

describe('a call that its client gives up', () => {
  it('because it took too long leaves the work going', async () => {
    const wish = unheard()
    const off = system.standin.fault({ kind: 'slow', seconds: 1.5 })
    const { answer, requests } = await requestsOf(async () => {
      const call = system.client.callTool(
        { name: 'transcribe_audio', arguments: { audio: passages.file, ...wish } },
        undefined,
        { timeout: 1000 },
      )
      await expect(call).rejects.toThrow(/timed out/i)
      off()
      return transcribe(wish)
    })
    expect(answer.data.status).toBe('completed')
    expect(requests).toBe(10)
    expect(system.standin.requests.slice(-10).every(({ aborted }) => !aborted)).toBe(true)
  })

  it('on purpose stops the work, and what was heard is not asked again', async () => {
    const wish = unheard()
    let answered = 0
    const off = system.standin.fault({ kind: 'hang', when: () => answered++ >= 6 })
    const stop = new AbortController()
    const call = system.client.callTool(
      { name: 'transcribe_audio', arguments: { audio: passages.file, ...wish } },
      undefined,
      { signal: stop.signal },
    )
    call.catch(() => {})
    await vi.waitFor(() => expect(answered).toBe(10), { timeout: 20_000 })
    stop.abort('enough')
    await vi.waitFor(() => expect(system.standin.inFlight()).toBe(0), { timeout: 5_000 })
    off()
    const { answer, requests } = await requestsOf(() => transcribe(wish))
    expect(answer.data.status).toBe('completed')
    expect(requests).toBe(4)
  })

  it('on purpose goes on where somebody else waits for it', async () => {
    const wish = unheard()
    const off = system.standin.fault({ kind: 'slow', seconds: 1 })
    const stop = new AbortController()
    const first = system.client.callTool(
      { name: 'transcribe_audio', arguments: { audio: passages.file, ...wish } },
      undefined,
      { signal: stop.signal },
    )
    first.catch(() => {})
    const second = transcribe(wish)
    await vi.waitFor(() => expect(system.standin.inFlight()).toBeGreaterThan(0), { timeout: 10_000 })
    stop.abort()
    off()
    expect((await second).data.status).toBe('completed')
  })
})

describe('cancel_transcription', () => {
  it('stops the work, keeps what there is, and the same order goes on from there', async () => {
    const wish = unheard()
    let answered = 0
    const off = system.standin.fault({ kind: 'hang', when: () => answered++ >= 3 })
    const { data } = await transcribe({ ...wish, wait_seconds: 0 })
    await vi.waitFor(() => expect(answered).toBe(10), { timeout: 20_000 })
    const { data: cancelled } = await system.call('cancel_transcription', {
      transcript_id: data.transcript_id,
    })
    expect(cancelled).toMatchObject({ status: 'cancelled', transcript_id: data.transcript_id })
    await vi.waitFor(() => expect(system.standin.inFlight()).toBe(0), { timeout: 5_000 })
    const read = await system.call('get_transcript', { transcript_id: data.transcript_id })
    expect(read.data.status).toBe('cancelled')
    expect(read.data.text.length).toBeGreaterThan(50)
    off()
    const { answer, requests } = await requestsOf(() => transcribe(wish))
    expect(answer.data.status).toBe('completed')
    expect(requests).toBe(7)
  })
})

describe('a chunk of ten that fails for good', () => {
  it('leaves its gap, and the same call repairs that alone', async () => {
    const wish = unheard()
    const spoilt = passages.texts[4]!.slice(0, 20)
    const off = system.standin.fault({
      kind: 'error',
      ...dashscopeErrors.dataInspectionFailed,
      when: ({ heard = '' }) => heard.includes(spoilt),
    })
    const first = await transcribe(wish)
    off()
    expect(first.data.status).toBe('partial')
    expect(first.data.coverage.gaps).toHaveLength(1)
    expect(first.data.coverage.gaps[0].reason).toMatch(/^CONTENT_REFUSED: /)
    const said = passages.texts.filter((_, i) => i !== 4).join(' ')
    expect((await words(first.data.transcript_id)).replace(/\[no text from .*?\] /, '')).toBe(said)
    const { answer, requests } = await requestsOf(() => transcribe(wish))
    expect(requests).toBe(1)
    expect(answer.data).toMatchObject({ status: 'completed', transcript_id: first.data.transcript_id })
    expect(await words(answer.data.transcript_id)).toBe(allWords())
  })
})

describe('an account that is refused in the middle of the work', () => {
  it('ends the job at once; what was heard is kept, and not asked again', async () => {
    const wish = unheard()
    let answered = 0
    const off = system.standin.fault({
      kind: 'error',
      ...dashscopeErrors.arrearage,
      when: () => answered++ >= 5,
    })
    const refused = await transcribe(wish)
    off()
    expect(refused.isError).toBe(true)
    expect(refused.text).toMatch(/^ACCOUNT_IN_ARREARS: /)
    const { answer, requests } = await requestsOf(() => transcribe(wish))
    expect(answer.data.status).toBe('completed')
    expect(requests).toBeLessThanOrEqual(10)
    expect(requests).toBeGreaterThan(0)
    expect(await words(answer.data.transcript_id)).toBe(allWords())
  })

  it('while a gap is repaired does not take away what there was', async () => {
    const wish = unheard()
    const spoilt = passages.texts[0]!.slice(0, 20)
    const hit = ({ heard = '' }) => heard.includes(spoilt)
    const off = system.standin.fault({ kind: 'error', ...dashscopeErrors.dataInspectionFailed, when: hit })
    const first = await transcribe(wish)
    off()
    const over = system.standin.fault({ kind: 'error', ...dashscopeErrors.arrearage })
    expect((await transcribe(wish)).text).toMatch(/^ACCOUNT_IN_ARREARS: /)
    over()
    const { data } = await system.call('get_transcript', { transcript_id: first.data.transcript_id })
    expect(data.status).toBe('partial')
    expect(data.text).toContain(passages.texts[1]!.slice(0, 40))
  })
})

describe('the limit on cost', () => {
  it('refuses with the figure before anything is sent, and lets through what costs less', async () => {
    const env = { SPEECH_ALLOWED_DIRS: system.env.SPEECH_ALLOWED_DIRS! }
    const strict = await startSystem({ env: { ...env, SPEECH_MAX_COST_USD: '0.002' } })
    const refused = await strict.call('transcribe_audio', { audio: passages.file })
    expect(refused.isError).toBe(true)
    expect(refused.text).toMatch(
      /^COST_TOO_HIGH: This would cost \$0\.00[3-5]\d?, more than the limit of \$0\.0020\. /,
    )
    expect(strict.standin.requests).toHaveLength(0)
    const short = await strict.call('transcribe_audio', { audio: fixture('jfk.wav') })
    expect(short.data.status).toBe('completed')
    await strict.close()
  })
})
