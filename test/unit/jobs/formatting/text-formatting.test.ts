// Texts passed with a call: formatted once, cached for an hour, never stored.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import { tokens } from '../../../../src/domain/tokens.ts'
import { createTextFormatting } from '../../../../src/jobs/formatting/text-formatting.ts'
import type { WatchOptions } from '../../../../src/jobs/jobs.ts'
import { fakeTextModel } from '../../../support/jobs/fake-text-model.ts'
import {
  createLatch,
  createWorkspace,
  type Harness,
  type HarnessOptions,
  owner,
  type Workspace,
} from '../../../support/jobs/harness.ts'
import { testBudget } from '../../../support/pipeline/budget.ts'
import { longText, numberedSentences } from '../../../support/text/unpunctuated.ts'

let workspace: Workspace
beforeEach(async () => {
  workspace = await createWorkspace()
})
afterEach(() => workspace.close())

const eventually = { timeout: 60_000, interval: 20 }
const refused = new SpeechError('CONTENT_REFUSED', 'No.', { hint: 'Ask for something else.' })
const words = (text: string) => tokens(text).map(({ key }) => key)

async function open(options: Parameters<typeof fakeTextModel>[0] = {}, more: HarnessOptions = {}) {
  const model = fakeTextModel(options)
  return { harness: await workspace.open({ textModel: model, ...more }), model }
}

function format({ jobs }: Harness, text: string, more: Partial<WatchOptions> = {}) {
  const { signal } = new AbortController()
  return jobs.format({ text, style: 'faithful' }, { owner, signal, ...more })
}

describe('a text', () => {
  it('a text is formatted in its own words, and the same call again costs nothing', async () => {
    const { harness, model } = await open()
    const { status, text, cached } = await format(harness, longText())
    expect({ status, cached }).toEqual({ status: 'completed', cached: false })
    expect(text!.text).toMatch(/^The talk/)
    expect(words(text!.text)).toEqual(words(longText()))
    const asked = model.requests.length
    expect(await format(harness, longText())).toEqual({ status, text, cached: true, warnings: [] })
    expect(model.requests).toHaveLength(asked)
  })

  it('a text is formatted anew for another owner, style or language', async () => {
    const { harness, model } = await open()
    const { signal } = new AbortController()
    await format(harness, longText())
    const asked = model.requests.length
    const others = [
      () => format(harness, longText(), { owner: 'bob' }),
      () => harness.jobs.format({ text: longText(), style: 'clean' }, { owner, signal }),
      () => harness.jobs.format({ text: longText(), style: 'faithful', language: 'de' }, { owner, signal }),
    ]
    for (const other of others) expect((await other()).cached).toBe(false)
    expect(model.requests.length).toBeGreaterThan(asked)
  })

  it('a passed text is never stored', async () => {
    const writes: unknown[] = []
    const { harness } = await open(
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
    await format(harness, longText())
    expect(writes).toEqual([])
  })

  it('a text that takes longer than its call shows its finished part, and the same call continues', async () => {
    const { open: write, opened } = createLatch()
    const { harness, model } = await open({
      before: text => (text.includes('passage 0 ') ? Promise.resolve() : opened),
      concurrency: 2,
    })
    const first = await format(harness, longText(), { seconds: 0 })
    expect(first).toMatchObject({ status: 'running', text: { text: longText() } })
    await vi.waitFor(async () => {
      const { text } = await format(harness, longText(), { seconds: 0 })
      expect(text!.text).toMatch(/^The talk/)
      expect(words(text!.text)).toEqual(words(longText()))
    }, eventually)
    write()
    const { status, cached, text } = await format(harness, longText())
    expect({ status, cached }).toEqual({ status: 'completed', cached: false })
    expect(text).toMatchObject({ failed: 0 })
    expect(new Set(model.requests).size).toBe(model.requests.length)
  })

  it('a short text is waited for longer', async () => {
    const { open: write, opened } = createLatch()
    const { harness, model } = await open({ before: () => opened })
    const formatting = format(harness, numberedSentences(1), { seconds: 0, shortSeconds: 60 })
    await vi.waitFor(() => expect(model.requests).toHaveLength(1), eventually)
    write()
    expect(await formatting).toMatchObject({ status: 'completed', text: { failed: 0 } })
  })

  it('a text with a failed piece returns its words, and only that piece is tried again', async () => {
    let isWell = false
    const { harness, model } = await open({
      before: async text => {
        if (!isWell && text.includes('passage 7 ')) throw refused
      },
    })
    const { text } = await format(harness, longText())
    expect(text).toMatchObject({ failed: 1, warnings: [expect.any(String)] })
    expect(words(text!.text)).toEqual(words(longText()))
    isWell = true
    const asked = model.requests.length
    expect(await format(harness, longText())).toMatchObject({ cached: false, text: { failed: 0 } })
    expect(model.requests.slice(asked)).toEqual([expect.stringContaining('passage 7 ')])
  })

  it('a cancelled call stops the formatting of a text, and finished pieces are kept', async () => {
    const { harness, model } = await open({
      before: (_, n) => (n === 1 ? new Promise(() => {}) : Promise.resolve()),
      concurrency: 1,
    })
    const leaving = new AbortController()
    const left = format(harness, longText(), { signal: leaving.signal })
    left.catch(() => {})
    await vi.waitFor(() => expect(model.requests).toHaveLength(2), eventually)
    leaving.abort()
    await expect(left).rejects.toThrow()
    expect(model.stopped()).toBe(1)
    const [first] = model.requests
    await format(harness, longText())
    expect(model.requests.filter(text => text === first)).toHaveLength(1)
  })

  it('a text is refused with BUSY if the owner has too many under way', async () => {
    const { harness, model } = await open({ before: () => new Promise(() => {}), concurrency: 1 })
    const calls = Array.from({ length: 100 }, (_, i) => format(harness, numberedSentences(i)))
    for (const call of calls) call.catch(() => {})
    await vi.waitFor(() => expect(model.requests).toHaveLength(100), eventually)
    await expect(format(harness, numberedSentences(100))).rejects.toMatchObject({ code: 'BUSY' })
    const other = format(harness, numberedSentences(100), { owner: 'bob' })
    await vi.waitFor(() => expect(model.requests).toHaveLength(101), eventually)
    await harness.jobs.close()
    expect(await other).toMatchObject({ status: 'running', text: { text: numberedSentences(100) } })
  })
})

describe('the cache of formatted texts', () => {
  const options = { style: 'faithful' } as const

  function createCached() {
    const texts = createTextFormatting({ textModel: fakeTextModel() }, () => testBudget())
    const run = { signal: new AbortController().signal, progress: () => {} }
    const keyOf = (n: number) => texts.keyOf(owner, numberedSentences(n), options)
    return {
      format: (n: number) => texts.format(numberedSentences(n), options, keyOf(n), run, () => {}),
      isCached: (n: number) => texts.cached(keyOf(n)) !== undefined,
    }
  }

  it('the cache keeps a text for an hour', async () => {
    const start = performance.now()
    const now = vi.spyOn(performance, 'now')
    try {
      const { format, isCached } = createCached()
      await format(1)
      now.mockReturnValue(start + 3_599_000)
      await sleep(5)
      expect(isCached(1)).toBe(true)
      now.mockReturnValue(start + 3_700_000)
      // The cache reads the clock at most once a millisecond.
      await sleep(5)
      expect(isCached(1)).toBe(false)
    } finally {
      now.mockRestore()
    }
  })

  it('the cache keeps a hundred texts', async () => {
    const { format, isCached } = createCached()
    for (let n = 0; n <= 100; n++) await format(n)
    expect([0, 1, 100].map(isCached)).toEqual([false, true, true])
  })

  it('the cache drops the least recently read text first', async () => {
    const { format, isCached } = createCached()
    for (let n = 0; n < 100; n++) await format(n)
    expect(isCached(0)).toBe(true)
    await format(100)
    expect([0, 1].map(isCached)).toEqual([true, false])
  })
})
