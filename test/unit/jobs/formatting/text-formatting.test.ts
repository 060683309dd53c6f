// Texts that come with a call: formatted once for whoever asks, remembered for a while, and never written down.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import { tokens } from '../../../../src/domain/tokens.ts'
import { createMemory } from '../../../../src/jobs/formatting/memory.ts'
import type { WatchOptions } from '../../../../src/jobs/jobs.ts'
import { scribe } from '../../../support/jobs/fake-text-model.ts'
import {
  createLatch,
  type House,
  type HouseOptions,
  me,
  type Site,
  startSite,
} from '../../../support/jobs/harness.ts'
import { longText, numberedSentences } from '../../../support/text/unpunctuated.ts'

let site: Site
beforeEach(async () => {
  site = await startSite()
})
afterEach(() => site.close())

const patient = { timeout: 30_000, interval: 20 }
const refused = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'Ask for something else.' })
const words = (text: string) => tokens(text).map(({ key }) => key)

async function open(wish: Parameters<typeof scribe>[0] = {}, more: HouseOptions = {}) {
  const model = scribe(wish)
  return { house: await site.open({ textModel: model, ...more }), model }
}

function format({ jobs }: House, text: string, more: Partial<WatchOptions> = {}) {
  const { signal } = new AbortController()
  return jobs.format({ text, style: 'faithful' }, { owner: me, signal, ...more })
}

describe('a text', () => {
  it('is formatted in its own words, and once: the same call again costs nothing', async () => {
    const { house, model } = await open()
    const { status, text, answered } = await format(house, longText())
    expect({ status, answered }).toEqual({ status: 'completed', answered: false })
    expect(text!.text).toMatch(/^The talk/)
    expect(words(text!.text)).toEqual(words(longText()))
    const asked = model.asked.length
    expect(await format(house, longText())).toEqual({ status, text, answered: true, warnings: [] })
    expect(model.asked).toHaveLength(asked)
  })

  it('is another one for another owner, in another style or language', async () => {
    const { house, model } = await open()
    const { signal } = new AbortController()
    await format(house, longText())
    const asked = model.asked.length
    const others = [
      () => format(house, longText(), { owner: 'bob' }),
      () => house.jobs.format({ text: longText(), style: 'clean' }, { owner: me, signal }),
      () => house.jobs.format({ text: longText(), style: 'faithful', language: 'de' }, { owner: me, signal }),
    ]
    for (const other of others) expect((await other()).answered).toBe(false)
    expect(model.asked.length).toBeGreaterThan(asked)
  })

  it('is never written down', async () => {
    const writes: unknown[] = []
    const { house } = await open(
      {},
      {
        store: store => ({
          ...store,
          async putCheckpoint(...given) {
            writes.push(given)
            return store.putCheckpoint(...given)
          },
        }),
      },
    )
    await format(house, longText())
    expect(writes).toEqual([])
  })

  it('that takes longer than its call shows what is done, and the same call goes on with it', async () => {
    const { open: write, opened } = createLatch()
    const { house, model } = await open({
      before: text => (text.includes('passage 0 ') ? Promise.resolve() : opened),
      concurrency: 2,
    })
    const first = await format(house, longText(), { seconds: 0 })
    expect(first).toMatchObject({ status: 'running', text: { text: longText() } })
    await vi.waitFor(async () => {
      const { text } = await format(house, longText(), { seconds: 0 })
      expect(text!.text).toMatch(/^The talk/)
      expect(words(text!.text)).toEqual(words(longText()))
    }, patient)
    write()
    const { status, answered, text } = await format(house, longText())
    expect({ status, answered }).toEqual({ status: 'completed', answered: false })
    expect(text).toMatchObject({ failed: 0 })
    expect(new Set(model.asked).size).toBe(model.asked.length)
  })

  it('that is short is waited for', async () => {
    const { open: write, opened } = createLatch()
    const { house, model } = await open({ before: () => opened })
    const formatting = format(house, numberedSentences(1), { seconds: 0 })
    await vi.waitFor(() => expect(model.asked).toHaveLength(1), patient)
    write()
    expect(await formatting).toMatchObject({ status: 'completed', text: { failed: 0 } })
  })

  it('that could not be formatted comes back as it was, and is tried again where it could not', async () => {
    let isWell = false
    const { house, model } = await open({
      before: async text => {
        if (!isWell && text.includes('passage 7 ')) throw refused
      },
    })
    const { text } = await format(house, longText())
    expect(text).toMatchObject({ failed: 1, warnings: [expect.any(String)] })
    expect(words(text!.text)).toEqual(words(longText()))
    isWell = true
    const asked = model.asked.length
    expect(await format(house, longText())).toMatchObject({ answered: false, text: { failed: 0 } })
    expect(model.asked.slice(asked)).toEqual([expect.stringContaining('passage 7 ')])
  })

  it('stops when who wanted it cancels the call, and keeps the pieces that are done', async () => {
    const { house, model } = await open({
      before: (_, n) => (n === 1 ? new Promise(() => {}) : Promise.resolve()),
      concurrency: 1,
    })
    const leaving = new AbortController()
    const left = format(house, longText(), { signal: leaving.signal })
    left.catch(() => {})
    await vi.waitFor(() => expect(model.asked).toHaveLength(2), patient)
    leaving.abort()
    await expect(left).rejects.toThrow()
    expect(model.stopped()).toBe(1)
    const [first] = model.asked
    await format(house, longText())
    expect(model.asked.filter(text => text === first)).toHaveLength(1)
  })

  it('is refused where too many are on their way', async () => {
    const { house, model } = await open({ before: () => new Promise(() => {}), concurrency: 1 })
    const calls = Array.from({ length: 100 }, (_, i) => format(house, numberedSentences(i)))
    for (const call of calls) call.catch(() => {})
    await vi.waitFor(() => expect(model.asked).toHaveLength(100), patient)
    await expect(format(house, numberedSentences(100))).rejects.toMatchObject({ code: 'BUSY' })
    const other = format(house, numberedSentences(100), { owner: 'bob' })
    await vi.waitFor(() => expect(model.asked).toHaveLength(101), patient)
    await house.jobs.close()
    expect(await other).toMatchObject({ status: 'running', text: { text: numberedSentences(100) } })
  })
})

describe('what is remembered', () => {
  const limits = { most: 3, size: 10, milliseconds: 1_000 }

  it('is so many things, of which those go first that nobody has used for longest', () => {
    const memory = createMemory(limits)
    for (const key of ['a', 'b', 'c']) memory.set(key, key)
    memory.get('a')
    memory.set('d', 'd')
    expect(['a', 'b', 'c', 'd'].map(memory.get)).toEqual(['a', undefined, 'c', 'd'])
  })

  it('has a size, which one alone may not exceed', () => {
    const memory = createMemory(limits)
    memory.set('a', '12345')
    memory.set('b', '12345')
    memory.set('a', '123456')
    expect(['a', 'b'].map(memory.get)).toEqual(['123456', undefined])
    memory.set('c', '12345678901')
    expect(['a', 'c'].map(memory.get)).toEqual(['123456', undefined])
  })

  it('is forgotten after its time', () => {
    vi.useFakeTimers()
    try {
      const memory = createMemory(limits)
      memory.set('a', '1')
      vi.advanceTimersByTime(999)
      expect(memory.get('a')).toBe('1')
      vi.advanceTimersByTime(1)
      expect(memory.get('a')).toBeUndefined()
    } finally {
      vi.useRealTimers()
    }
  })
})
