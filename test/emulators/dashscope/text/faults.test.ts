// The DashScope emulator: the content filter and failures of text requests.
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type DashscopeEmulator,
  type DashscopeOptions,
  dashscopeErrors,
  geminiErrors,
  retryInfo,
  startDashscope,
  type TextFault,
} from '../../../../emulators/dashscope/dashscope.ts'
import { askGemini, askQwen, framesOf, partOf, textOf } from '../../../support/emulators/text-client.ts'
import { normalizedText, unpunctuatedTexts } from '../../../support/emulators/texts.ts'

const open: DashscopeEmulator[] = []
afterEach(() => Promise.all(open.splice(0).map(cloud => cloud.close())))

async function start(fault?: TextFault, options: Partial<DashscopeOptions> = {}): Promise<DashscopeEmulator> {
  const cloud = await startDashscope({ ffmpeg: 'none', ...options })
  open.push(cloud)
  if (fault) cloud.textFault(fault)
  return cloud
}

const deltas = { stream: true, parameters: { incremental_output: true } }
const long = `${unpunctuatedTexts.English} ${unpunctuatedTexts.English}`

/** The content check is told in the message only. */
const refused = {
  code: 'InvalidParameter',
  message: expect.stringMatching(/^<400> InternalError\.Algo\.DataInspectionFailed: /),
}

describe('the content filter', () => {
  it('the content filter refuses a text', async () => {
    const cloud = await start({ kind: 'refuse' })
    const whole = await askQwen(cloud, long)
    expect([whole.status, partOf(await whole.json()).error]).toEqual([400, expect.objectContaining(refused)])
    const stream = await askQwen(cloud, long, deltas)
    expect([stream.status, await framesOf(stream)]).toMatchObject([400, [{ error: refused }]])
    cloud.set({ forms: { contentCheck: 'code' } })
    expect(partOf(await (await askQwen(cloud, long)).json()).error?.code).toBe('DataInspectionFailed')
    const body = await (await askGemini(cloud, long)).json()
    expect(body).toMatchObject({ promptFeedback: { blockReason: 'SAFETY' } })
    expect(body).not.toHaveProperty('candidates')
    cloud.textFault({ kind: 'refuse', reason: 'OTHER' })
    const blocked = await askGemini(cloud, long, { stream: true })
    expect(JSON.parse((await blocked.text()).slice(5))).toHaveProperty('promptFeedback')
  })

  it('the content filter stops an answer midway', async () => {
    const cloud = await start({ kind: 'refuse', midway: true, reason: 'PROHIBITED_CONTENT' })
    const frames = await framesOf(await askQwen(cloud, long, deltas))
    expect(frames.length).toBeGreaterThan(3)
    expect(frames.at(-1)!.error).toMatchObject(refused)
    expect(cloud.textRequests[0]).toMatchObject({ status: 400, code: 'InvalidParameter' })
    expect(cloud.textRequests[0]!.answer.length).toBeLessThan(long.length * 0.7)
    const gemini = await framesOf(await askGemini(cloud, long, { stream: true }))
    expect(gemini.at(-1)).toMatchObject({ text: '', finish: 'PROHIBITED_CONTENT' })
    expect(gemini[0]!.text).not.toBe('')
    const whole = partOf(await (await askGemini(cloud, long)).json())
    expect(whole).toMatchObject({ text: '', finish: 'PROHIBITED_CONTENT' })
    expect((await askQwen(cloud, long)).status).toBe(400)
  })
})

describe('faults', () => {
  it('a text fault hits every n-th request, those of one model, or those that match', async () => {
    const cloud = await start({ kind: 'error', ...dashscopeErrors.systemError, every: 2, times: 1 })
    const statuses = []
    for (let i = 0; i < 4; i++) statuses.push((await askQwen(cloud, 'hi')).status)
    expect(statuses).toEqual([200, 500, 200, 200])
    cloud.textFault({ kind: 'empty', model: 'qwen-plus' })
    const off = cloud.textFault({ kind: 'obey', words: 'no', when: ({ text }) => text.includes('poem') })
    expect(await textOf(await askQwen(cloud, 'hi'))).toBe('Hi.')
    expect(await textOf(await askQwen(cloud, 'hi', { model: 'qwen-plus' }))).toBe('')
    expect(await textOf(await askQwen(cloud, 'a poem'))).toBe('no')
    off()
    expect(await textOf(await askQwen(cloud, 'a poem'))).toBe('A poem.')
  })

  it('a corruption can be combined with a stream fault', async () => {
    const cloud = await start({ kind: 'preamble', words: 'Sure:' })
    cloud.textFault({ kind: 'singleNewlines' })
    expect(await textOf(await askQwen(cloud, 'hi', deltas))).toBe('Sure:\n\nHi.')
  })

  it('an error fault can return any error of both protocols', async () => {
    const cloud = await start()
    for (const error of Object.values(dashscopeErrors)) {
      cloud.textFault({ kind: 'error', ...error, times: 1 })
      const response = await askQwen(cloud, 'hi')
      expect([response.status, await response.json()]).toMatchObject([error.status, { code: error.code }])
    }
    for (const error of Object.values(geminiErrors)) {
      const { status, code, message } = error
      cloud.textFault({ kind: 'error', ...error, times: 1 })
      const response = await askGemini(cloud, 'hi', { stream: true })
      const expected = {
        code: status,
        message,
        status: code,
        ...('details' in error && { details: error.details }),
      }
      expect([response.status, await response.json()]).toEqual([status, { error: expected }])
    }
    cloud.textFault({ kind: 'error', ...geminiErrors.resourceExhausted, details: retryInfo(0.2) })
    expect(await (await askGemini(cloud, 'hi')).text()).toContain('"retryDelay":"0.2s"')
  })

  it('the fault errorFrame ends a stream with an error frame', async () => {
    const cloud = await start({ kind: 'errorFrame', ...dashscopeErrors.internalError })
    const raw = await (await askQwen(cloud, long, deltas)).text()
    expect(raw).toMatch(
      /event:result[\s\S]*\nid:\d+\nevent:error\n:HTTP_STATUS\/500\ndata:\{"code":"InternalError"/,
    )
    expect(cloud.textRequests[0]).toMatchObject({ status: 500, code: 'InternalError' })
    expect(cloud.textRequests[0]!.answer).toMatch(/^So I went/)
    expect((await askQwen(cloud, long)).status).toBe(500)
    const gemini = await start({ kind: 'errorFrame', ...geminiErrors.unavailable, at: 0 })
    const frames = await framesOf(await askGemini(gemini, long, { stream: true }))
    expect(frames).toMatchObject([{ error: { code: 503 } }])
  })

  it('the fault html returns the error page of a proxy', async () => {
    const cloud = await start({ kind: 'html', status: 503 })
    for (const response of [await askQwen(cloud, 'hi', deltas), await askGemini(cloud, 'hi')]) {
      expect([response.status, response.headers.get('content-type')]).toEqual([503, 'text/html'])
      expect(await response.text()).toContain('503 Error')
    }
  })

  it('the faults drop and dropMidway close the connection at once or midway', async () => {
    const cloud = await start({ kind: 'drop', times: 1 })
    await expect(askQwen(cloud, long)).rejects.toThrow('fetch failed')
    cloud.textFault({ kind: 'dropMidway' })
    for (const response of [await askQwen(cloud, long, deltas), await askQwen(cloud, long)]) {
      expect(response.status).toBe(200)
      await expect(response.text()).rejects.toThrow('terminated')
    }
    const [, streamed] = cloud.textRequests
    expect(streamed!.answer.length).toBeGreaterThan(long.length / 3)
    expect(streamed!.answer.length).toBeLessThan(long.length * 0.7)
  })

  it('the faults hang and hangMidway never finish, at once or midway', async () => {
    const cloud = await start({ kind: 'hang', times: 1 })
    const asked = askQwen(cloud, long, { signal: AbortSignal.timeout(200) })
    await expect(asked).rejects.toThrow()
    cloud.textFault({ kind: 'hangMidway' })
    for (const options of [deltas, {}]) {
      const disconnect = new AbortController()
      const response = await askQwen(cloud, long, { ...options, signal: disconnect.signal })
      const reader = response.body!.getReader()
      expect((await reader.read()).done).toBe(false)
      expect(cloud.textInFlight()).toBe(1)
      disconnect.abort()
      await vi.waitFor(() => expect(cloud.textInFlight()).toBe(0))
    }
    expect(cloud.textRequests.map(({ status, aborted }) => [status, aborted])).toEqual([
      [0, true],
      [200, true],
      [200, true],
    ])
  })

  it('the fault held answers once it is removed', async () => {
    const cloud = await start()
    const release = cloud.textFault({ kind: 'held' })
    const held = askQwen(cloud, long)
    await vi.waitFor(() => expect(cloud.textInFlight()).toBe(1))
    release()
    expect((await held).status).toBe(200)
  })

  it('the fault garbage sends an invalid frame, or truncated JSON', async () => {
    const cloud = await start({ kind: 'garbage' })
    for (const response of [
      await askQwen(cloud, long, deltas),
      await askGemini(cloud, long, { stream: true }),
    ]) {
      const lines = (await response.text()).split(/\r?\n/).filter(line => line.startsWith('data:'))
      const broken = lines.filter(line => {
        try {
          return !JSON.parse(line.slice(5))
        } catch {
          return true
        }
      })
      expect(broken).toHaveLength(1)
      expect(lines.indexOf(broken[0]!)).toBeGreaterThan(2)
      expect(partOf(JSON.parse(lines.at(-1)!.slice(5))).finish).toMatch(/stop/i)
    }
    const half = await askQwen(cloud, long)
    expect(half.status).toBe(200)
    await expect(half.json()).rejects.toThrow(SyntaxError)
  })

  it('the fault noFinish omits the finish reason', async () => {
    const cloud = await start({ kind: 'noFinish' })
    const frames = await framesOf(await askQwen(cloud, 'good morning', deltas))
    expect(frames).toEqual([{ text: 'Good morning.', thoughts: '', finish: 'null' }])
    expect(partOf(await (await askQwen(cloud, 'hi')).json()).finish).toBeUndefined()
    expect(partOf(await (await askGemini(cloud, 'hi')).json()).finish).toBeUndefined()
  })

  it('the fault singleNewlines separates frames by a single newline', async () => {
    const cloud = await start({ kind: 'singleNewlines' })
    const raw = await (await askQwen(cloud, long, deltas)).text()
    expect(raw).not.toContain('\n\n')
    expect(raw).toMatch(/\}\nid:2\nevent:result\n/)
    const gemini = await (await askGemini(cloud, long, { stream: true })).text()
    expect(gemini).toMatch(/\}\r\ndata: \{/)
    expect(gemini).not.toContain('\r\n\r\n')
  })

  it('the fault cumulative repeats all text in each frame', async () => {
    const cloud = await start({ kind: 'cumulative' })
    for (const response of [
      await askQwen(cloud, long, deltas),
      await askGemini(cloud, long, { stream: true }),
    ]) {
      const texts = (await framesOf(response)).map(({ text }) => text)
      for (const [at, text] of texts.slice(1).entries()) expect(text.startsWith(texts[at]!)).toBe(true)
      expect(normalizedText(texts.at(-1)!)).toBe(normalizedText(long))
    }
  })

  it('the fault jsonForStream returns one JSON body for a stream', async () => {
    const cloud = await start({ kind: 'jsonForStream' })
    for (const response of [
      await askQwen(cloud, 'hi', deltas),
      await askGemini(cloud, 'hi', { stream: true }),
    ]) {
      expect(response.headers.get('content-type')).toMatch(/^application\/json/)
      expect(partOf(await response.json())).toMatchObject({
        text: 'Hi.',
        finish: expect.stringMatching(/stop/i),
      })
    }
  })

  it('closing the emulator ends slow text responses at once', async () => {
    const cloud = await start({ kind: 'slow', seconds: 60 })
    const whole = expect(askQwen(cloud, 'hi')).rejects.toThrow('fetch failed')
    const stream = await askQwen(cloud, 'hi', deltas)
    const words = expect(stream.text()).rejects.toThrow('terminated')
    await cloud.close()
    await Promise.all([whole, words])
    expect(cloud.textRequests.map(({ answer }) => answer)).toEqual(['', ''])
  })
})
