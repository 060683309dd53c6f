// The key of addresses and sessions that end: in the data folder, and in the bucket of a team.
import { writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, readlink, rename, rmdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { startOss } from '../../../emulators/oss/oss.ts'
import { createApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config/config.ts'
import type { SecretKey } from '../../../src/domain/network/secret-key.ts'
import { pageKeyKey } from '../../../src/drivers/object-storage/keys.ts'
import { keyInOss } from '../../../src/drivers/object-storage/oss/key-object.ts'
import { ossStorage } from '../../../src/drivers/object-storage/oss/oss.ts'
import { keyFile } from '../../../src/drivers/secret-key/key-file.ts'
import { captureWarnings, clientOf, optionsFor, useResources } from '../../support/contracts/oss.ts'

const { folder, track } = useResources()
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const asSet = (keys: Uint8Array[]) => new Set(keys.map(hex))

describe('the key in the data folder', () => {
  it('it is drawn with the first call, kept for its owner alone, and the same after a restart', async () => {
    const data = join(folder(), 'data')
    const first = keyFile(data)
    await expect(readdir(data)).rejects.toThrow('ENOENT')
    const key = await first.get()
    expect([key.length, await readdir(data)]).toEqual([32, ['page-key']])
    if (process.platform !== 'win32')
      expect([(await stat(data)).mode & 0o777, (await stat(join(data, 'page-key'))).mode & 0o777]).toEqual([
        0o700, 0o600,
      ])
    expect(await keyFile(data).get()).toEqual(Buffer.from(key))
    expect(asSet([key, await keyFile(join(folder(), 'other')).get()]).size).toBe(2)
  })

  it('processes that begin at once agree on one', async () => {
    const keys = await Promise.all(Array.from({ length: 12 }, () => keyFile(folder()).get()))
    expect([asSet(keys).size, await readFile(join(folder(), 'page-key'))]).toEqual([1, keys[0]])
  })

  it.each(['half', ''])(
    'of a damaged file, which holds %j, processes that see it at once agree',
    async content => {
      const file = join(folder(), 'page-key')
      await writeFile(file, content)
      const warnings = captureWarnings()
      const keys = await Promise.all(Array.from({ length: 12 }, () => keyFile(folder()).get()))
      expect([asSet(keys).size, keys[0]!.length, await keyFile(folder()).get()]).toEqual([1, 32, keys[0]])
      expect(warnings()[0]!.event).toBe('page-key-damaged')
      expect(await readFile(file, 'utf8')).toBe(content)
    },
  )

  it('a file that another process has not copied to its end is read again', async () => {
    const file = join(folder(), 'page-key')
    const whole = Buffer.alloc(32, 7)
    await writeFile(file, whole.subarray(0, 5))
    const warnings = captureWarnings()
    const key = keyFile(folder()).get()
    setTimeout(() => writeFileSync(file, whole), 50)
    expect([await key, warnings()]).toEqual([whole, []])
  })

  it('a file that cannot be read for a moment is used afterwards, and a warning names the reason', async () => {
    const file = join(folder(), 'page-key')
    const before = await keyFile(folder()).get()
    await rename(file, `${file}-away`)
    await mkdir(file)
    const warnings = captureWarnings()
    const key = keyFile(folder())
    await expect(key.get()).rejects.toThrow('EISDIR')
    expect(warnings()).toMatchObject([{ event: 'page-key-unreadable', code: 'EISDIR' }])
    await rmdir(file)
    await rename(`${file}-away`, file)
    expect(await key.get()).toEqual(Buffer.from(before))
  })

  it.skipIf(process.platform === 'win32')('a link that leads nowhere stays, with a warning', async () => {
    const file = join(folder(), 'page-key')
    await symlink(join(folder(), 'not-mounted'), file)
    const warnings = captureWarnings()
    expect((await keyFile(folder()).get()).length).toBe(32)
    expect([await readlink(file), warnings()[0]!.event]).toEqual([
      join(folder(), 'not-mounted'),
      'page-key-not-kept',
    ])
  })

  it('where nothing can be written, it lasts as long as the process, with a warning', async () => {
    const data = join(folder(), 'data')
    await writeFile(data, '')
    const warnings = captureWarnings()
    const key = keyFile(data)
    expect(await key.get()).toEqual(await key.get())
    expect(warnings().map(({ event }) => event)).toContain('page-key-not-kept')
  })
})

describe('the key of a program', () => {
  const settings = (data: string, more: Record<string, string> = {}) =>
    readConfig({ DASHSCOPE_API_KEY: 'sk-test', SPEECH_DATA_DIR: join(folder(), data), ...more })
  const keyOf = async (data: string, more?: Record<string, string>) =>
    hex(await track(await createApp(settings(data, more))).pageKey())

  it('servers of a team share that of the bucket, and others with the bucket have their own', async () => {
    const oss = track(await startOss())
    const bucket = {
      ...{ OSS_BUCKET: oss.bucket, OSS_ENDPOINT: oss.endpoint, OSS_REGION: oss.region },
      ...{ ALIBABA_ACCESS_KEY: oss.accessKeyId, ALIBABA_SECRET_KEY: oss.accessKeySecret },
    }
    const team = { ...bucket, TABLESTORE_ENDPOINT: 'https://team.eu-central-1.ots.aliyuncs.com' }
    const [one, two, other] = [
      await keyOf('one', team),
      await keyOf('two', team),
      await keyOf('three', { ...team, TABLESTORE_PREFIX: 'other' }),
    ]
    expect([two, new Set([one, other]).size]).toEqual([one, 2])
    await expect(readdir(join(folder(), 'one'))).rejects.toThrow('ENOENT')
    const alone = await keyOf('four', bucket)
    expect([await keyOf('four', bucket), await readdir(join(folder(), 'four'))]).toEqual([
      alone,
      ['page-key'],
    ])
  })
})

describe('the key in the bucket', () => {
  async function servers(count: number) {
    const oss = track(await startOss())
    const clock = { now: 0 }
    const now = () => clock.now
    const open = (installation = 'here') => track(keyInOss({ ...optionsFor(oss), installation, now }))
    return { oss, clock, open, keys: Array.from({ length: count }, () => open()) }
  }

  it('servers that begin at once agree on one, and so does one that comes later', async () => {
    const { oss, open, keys } = await servers(6)
    expect(oss.requests).toEqual([])
    const read = await Promise.all(keys.map(key => key.get()))
    expect([asSet(read).size, read[0]!.length]).toEqual([1, 32])
    expect(hex(await open().get())).toBe(hex(read[0]!))
    expect(hex(await open('there').get())).not.toBe(hex(read[0]!))
  })

  it('it is read once, and after the bucket has failed, again in half a minute', async () => {
    const { oss, clock, keys } = await servers(1)
    const heal = oss.fault({ kind: 'error', status: 403, code: 'AccessDenied' })
    await expect(keys[0]!.get()).rejects.toMatchObject({ code: 'BUCKET_REFUSED' })
    heal()
    await expect(keys[0]!.get()).rejects.toMatchObject({ code: 'BUCKET_REFUSED' })
    clock.now += 30_000
    const key = await keys[0]!.get()
    const asked = oss.requests.length
    expect([hex(await keys[0]!.get()), oss.requests.length]).toEqual([hex(key), asked])
  })

  it('each server stores a key in use again, so a rule that deletes what is a day old leaves it', async () => {
    const { oss, clock, keys } = await servers(2)
    const [one, two] = keys as [SecretKey, SecretKey]
    const key = hex(await one.get())
    expect(hex(await two.get())).toBe(key)
    const stored = () => oss.requests.filter(({ kind }) => kind === 'put').length
    const before = stored()
    clock.now += 6 * 3600_000
    expect([hex(await one.get()), stored()]).toEqual([key, before + 1])
    await clientOf(oss).delete(pageKeyKey('here'))
    clock.now += 6 * 3600_000
    expect([hex(await two.get()), hex(await one.get())]).toEqual([key, key])
  })

  it('after days without use, a server goes on with the key that another one has drawn', async () => {
    const { oss, clock, open, keys } = await servers(1)
    const old = hex(await keys[0]!.get())
    await clientOf(oss).delete(pageKeyKey('here'))
    const drawn = hex(await open().get())
    expect(drawn).not.toBe(old)
    clock.now += 48 * 3600_000
    expect(hex(await keys[0]!.get())).toBe(drawn)
  })

  it('while the bucket fails, a known key is used', async () => {
    const { oss, clock, keys } = await servers(1)
    const key = hex(await keys[0]!.get())
    oss.fault({ kind: 'error', status: 403, code: 'AccessDenied' })
    clock.now += 7 * 3600_000
    expect(hex(await keys[0]!.get())).toBe(key)
  })

  it('while it fails on, callers do not wait for it, and once it works the key is stored again', async () => {
    const { oss, clock, keys } = await servers(1)
    const key = hex(await keys[0]!.get())
    const heal = oss.fault({ kind: 'error', status: 403, code: 'AccessDenied' })
    clock.now += 7 * 3600_000
    await keys[0]!.get()
    heal()
    const requests = oss.requests.length
    clock.now += 30_000
    expect([hex(await keys[0]!.get()), oss.requests.length]).toEqual([key, requests])
    await vi.waitFor(() => expect(oss.requests.slice(requests).map(({ kind }) => kind)).toContain('put'))
  })

  it('an answer that was lost on the way changes nothing', async () => {
    const { oss, open, keys } = await servers(1)
    oss.fault({ kind: 'dropAfter', times: 1, when: ({ kind }) => kind === 'put' })
    expect(hex(await keys[0]!.get())).toBe(hex(await open().get()))
  })

  it('the sweep of uploads leaves it', async () => {
    const { oss, open, keys } = await servers(1)
    const key = await keys[0]!.get()
    const storage = track(ossStorage(optionsFor(oss)))
    expect(await storage.sweep(async () => false, new AbortController().signal)).toBe(0)
    expect(hex(await open().get())).toBe(hex(key))
  })
})
