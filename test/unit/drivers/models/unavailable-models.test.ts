// Unavailable text models: remembered for a day, in this process and in others.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpeechError } from '../../../../src/domain/errors.ts'
import { unavailableModels } from '../../../../src/drivers/models/unavailable-models.ts'
import { sqliteStore } from '../../../../src/drivers/store/sqlite/sqlite.ts'
import { log } from '../../../../src/log.ts'

const day = 86_400_000

/** A store in memory that can be broken. */
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

describe('an unavailable model', () => {
  it('an unavailable model is known to this and other processes for a day', async () => {
    const store = memoryStore()
    const models = unavailableModels(store, { now })
    expect(await models.has('a')).toBe(false)
    await models.add('a')
    const others = unavailableModels(store, { now })
    for (const [later, expected] of [
      [0, true],
      [day - 1, true],
      [day, false],
    ] as const) {
      time = Date.UTC(2026, 10, 25) + later
      expect(await models.has('a')).toBe(expected)
      expect(await others.has('a')).toBe(expected)
      expect(await others.has('b')).toBe(false)
    }
  })

  it('an unavailable model is stored under an owner that no user can be', async () => {
    const store = memoryStore()
    await unavailableModels(store, { now }).add('a')
    expect([...store.owners]).toEqual([expect.not.stringMatching(/^[\w.@-]{1,64}$/)])
  })

  it('a model found unavailable by another process is known within a minute', async () => {
    const store = memoryStore()
    const models = unavailableModels(store, { now })
    await models.has('a')
    await unavailableModels(store, { now }).add('a')
    time += 61_000
    expect(await models.has('a')).toBe(true)
  })

  it('concurrent lookups of a model read the store once, and later ones not at all for a while', async () => {
    const store = memoryStore()
    const models = unavailableModels(store, { now })
    await Promise.all(Array.from({ length: 32 }, () => models.has('a')))
    await models.has('a')
    expect(store.reads).toBe(1)
  })

  it('a model added during a lookup is already unavailable to that lookup', async () => {
    const store = memoryStore()
    const models = unavailableModels(store, { now })
    const lookup = models.has('a')
    const added = models.add('a')
    expect(await lookup).toBe(true)
    await added
    expect(await models.has('a')).toBe(true)
  })

  it('an unavailable model is remembered in this process when the store fails, without an error', async () => {
    const store = memoryStore()
    store.broken = true
    const models = unavailableModels(store, { now })
    expect(await models.has('a')).toBe(false)
    await models.add('a')
    expect(await models.has('a')).toBe(true)
  })

  it.each([null, 5, 'x', {}, { until: 'tomorrow' }, { until: Date.UTC(2027, 0, 1) }])(
    'a model is available when the store holds %j',
    async value => {
      const store = memoryStore()
      store.getCheckpoint = async () => value
      expect(await unavailableModels(store, { now }).has('a')).toBe(false)
    },
  )

  it('an unavailable model is found again in the real store', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'speech-'))
    for (const expected of [false, true]) {
      const store = sqliteStore({ folder })
      const models = unavailableModels(store, { now })
      expect(await models.has('a at https://host/api/v1')).toBe(expected)
      await models.add('a at https://host/api/v1')
      await store.close()
    }
    rmSync(folder, { recursive: true })
  })
})
