// That a model is gone is remembered for a day, in this process and in the next.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import { unavailableModels } from '../../../../src/drivers/llm/unavailable-models.ts'
import { sqliteStore } from '../../../../src/drivers/store/sqlite/sqlite.ts'
import { log } from '../../../../src/log.ts'

const day = 86_400_000

/** A store in memory, which may be full or broken. */
function memoryStore() {
  const rows = new Map<string, unknown>()
  const broken = () => Promise.reject(new SpeechError('STORE_FAILED', 'No.', { hint: 'Wait.' }))
  const store = {
    rows,
    broken: false,
    reads: 0,
    owners: new Set<string>(),
    async getCheckpoint(owner: string, key: string) {
      store.reads++
      return store.broken ? broken() : rows.get(`${owner}/${key}`)
    },
    async putCheckpoint(owner: string, key: string, value: unknown) {
      store.owners.add(owner)
      return store.broken ? broken() : void rows.set(`${owner}/${key}`, JSON.parse(JSON.stringify(value)))
    },
  }
  return store
}

let time: number
const now = () => time
beforeEach(() => {
  time = Date.UTC(2026, 10, 25)
  vi.spyOn(log, 'warn').mockImplementation(() => {})
})
afterEach(() => vi.restoreAllMocks())

describe('a retired model', () => {
  it('is known here and by others for a day', async () => {
    const store = memoryStore()
    const here = unavailableModels(store, { now })
    expect(await here.has('a')).toBe(false)
    await here.add('a')
    const elsewhere = unavailableModels(store, { now })
    for (const [later, expected] of [
      [0, true],
      [day - 1, true],
      [day, false],
    ] as const) {
      time = Date.UTC(2026, 10, 25) + later
      expect(await here.has('a')).toBe(expected)
      expect(await elsewhere.has('a')).toBe(expected)
      expect(await elsewhere.has('b')).toBe(false)
    }
  })

  it('is kept where no user can have it', async () => {
    const store = memoryStore()
    await unavailableModels(store, { now }).add('a')
    expect([...store.owners]).toEqual([expect.not.stringMatching(/^[\w.@-]{1,64}$/)])
  })

  it('that another process found is heard of within a minute', async () => {
    const store = memoryStore()
    const here = unavailableModels(store, { now })
    await here.has('a')
    await unavailableModels(store, { now }).add('a')
    time += 61_000
    expect(await here.has('a')).toBe(true)
  })

  it('costs the store one look for all who ask at once, and none for a while', async () => {
    const store = memoryStore()
    const here = unavailableModels(store, { now })
    await Promise.all(Array.from({ length: 32 }, () => here.has('a')))
    await here.has('a')
    expect(store.reads).toBe(1)
  })

  it('is one also for those who were asking the store in that moment', async () => {
    const store = memoryStore()
    const here = unavailableModels(store, { now })
    const asked = here.has('a')
    const retired = here.add('a')
    expect(await asked).toBe(true)
    await retired
    expect(await here.has('a')).toBe(true)
  })

  it('lasts for this process where the store takes nothing, and nothing is thrown', async () => {
    const store = memoryStore()
    store.broken = true
    const here = unavailableModels(store, { now })
    expect(await here.has('a')).toBe(false)
    await here.add('a')
    expect(await here.has('a')).toBe(true)
  })

  it.each([null, 5, 'x', {}, { until: 'tomorrow' }, { until: Date.UTC(2027, 0, 1) }])(
    'is none where the store says %j',
    async value => {
      const store = memoryStore()
      store.getCheckpoint = async () => value
      expect(await unavailableModels(store, { now }).has('a')).toBe(false)
    },
  )

  it('is found again in the real store', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'speech-'))
    for (const expected of [false, true]) {
      const store = sqliteStore({ folder })
      const here = unavailableModels(store, { now })
      expect(await here.has('a at https://host/api/v1')).toBe(expected)
      await here.add('a at https://host/api/v1')
      await store.close()
    }
    rmSync(folder, { recursive: true })
  })
})
