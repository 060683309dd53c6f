// Object keys, installation ids and endpoints of object storage.
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startOss } from '../../../emulators/oss/oss.ts'
import { createApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config/config.ts'
import { installationIdIn } from '../../../src/drivers/object-storage/installation-id.ts'
import { parseUploadKey } from '../../../src/drivers/object-storage/keys.ts'
import { ossEndpoint } from '../../../src/drivers/object-storage/oss/endpoint.ts'
import { partBytes } from '../../../src/drivers/object-storage/oss/multipart-upload.ts'
import { ossStorage } from '../../../src/drivers/object-storage/oss/oss.ts'
import {
  failure,
  models,
  noise,
  signal,
  stream,
  uploadOfAnn,
} from '../../support/contracts/object-storage.ts'
import { captureWarnings, installation, keyOf, useResources } from '../../support/contracts/oss.ts'

const { folder, track } = useResources()

describe('object keys and endpoints', () => {
  it.each(['ann', 'ann@example.com', '..', '.hidden', 'Zoë 张/..\\%2e=', '=2e'])(
    'the owner %j is restored from an ASCII key',
    owner => {
      const key = keyOf(owner, 'tr_1')
      expect(key).toMatch(/^speech-mcp\/uploads\/[\w@=-][\w@.=-]*\/tr_1\.here\.mp3$/)
      expect(new URL(`https://host/${key}`).pathname).toBe(`/${key}`)
      expect(parseUploadKey(key)).toEqual({ owner, job: 'tr_1', installation })
    },
  )

  it('a data folder keeps its installation id, and another folder has another id', async () => {
    const oss = track(await startOss())
    const { bucket, endpoint, accessKeyId, accessKeySecret } = oss
    const env = {
      OSS_BUCKET: bucket,
      OSS_ENDPOINT: endpoint,
      OSS_ACCESS_KEY_ID: accessKeyId,
      OSS_ACCESS_KEY_SECRET: accessKeySecret,
    }
    const open = async (data: string) =>
      track(await createApp(readConfig({ ...env, SPEECH_DATA_DIR: join(folder(), data) }))).objectStorage
    const installations = []
    for (const data of ['one', 'one', 'two']) {
      const { keys } = await (await open(data)).upload(stream(noise(0.01)), uploadOfAnn, signal())
      installations.push(parseUploadKey(keys[models[0]!]!)?.installation)
    }
    const [first, again, other] = installations
    expect(first).toMatch(/^[a-z0-9]{12}$/)
    expect([again === first, other === first]).toEqual([true, false])
  })

  it('a moved data folder keeps its installation id', async () => {
    const data = join(folder(), 'data')
    const name = await installationIdIn(data).getOrCreate()
    await rename(data, join(folder(), 'moved'))
    const moved = installationIdIn(join(folder(), 'moved'))
    expect([await moved.get(), await moved.getOrCreate()]).toEqual([name, name])
    expect(await readdir(join(folder(), 'moved'))).toEqual(['installation'])
  })

  it('processes that share a data folder agree on its installation id', async () => {
    const data = join(folder(), 'data')
    const names = await Promise.all(Array.from({ length: 20 }, () => installationIdIn(data).getOrCreate()))
    expect(new Set(names).size).toBe(1)
    expect(await readdir(data)).toEqual(['installation'])
  })

  it('reading the installation id creates no data folder', async () => {
    const data = join(folder(), 'none')
    expect(await installationIdIn(data).get()).toMatch(/^[a-z0-9]{8}$/)
    await expect(readdir(data)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it.each([
    ['is not writable', async (data: string) => writeFile(data, 'a file')],
    [
      'contains an incomplete id',
      async (data: string) => {
        await mkdir(data)
        await writeFile(join(data, 'installation'), '')
      },
    ],
  ])('a data folder that %s gets an id derived from host and folder', async (_, prepare) => {
    const data = join(folder(), 'data')
    await prepare(data)
    const warnings = captureWarnings()
    const name = await installationIdIn(data).getOrCreate()
    expect(name).toMatch(/^[a-z0-9]{8}$/)
    expect([await installationIdIn(data).getOrCreate(), await installationIdIn(data).get()]).toEqual([
      name,
      name,
    ])
    expect(await installationIdIn(join(folder(), 'data', 'x')).getOrCreate()).not.toBe(name)
    expect(warnings()[0]).toMatchObject({ event: 'installation-not-kept' })
  })

  const frankfurt = 'https://oss-eu-central-1.aliyuncs.com'
  it.each<
    [string, string | undefined, { upload: string; public: string; region: string; pathStyle: boolean }]
  >([
    [
      'oss-eu-central-1.aliyuncs.com',
      undefined,
      { upload: frankfurt, public: frankfurt, region: 'eu-central-1', pathStyle: false },
    ],
    [
      'https://audio.oss-eu-central-1.aliyuncs.com/',
      'oss-eu-central-1',
      { upload: frankfurt, public: frankfurt, region: 'eu-central-1', pathStyle: false },
    ],
    [
      'oss-eu-central-1-internal.aliyuncs.com',
      undefined,
      {
        upload: 'https://oss-eu-central-1-internal.aliyuncs.com',
        public: frankfurt,
        region: 'eu-central-1',
        pathStyle: false,
      },
    ],
    [
      'cn-hangzhou.oss.aliyuncs.com',
      undefined,
      {
        upload: 'https://cn-hangzhou.oss.aliyuncs.com',
        public: 'https://cn-hangzhou.oss.aliyuncs.com',
        region: 'cn-hangzhou',
        pathStyle: false,
      },
    ],
    [
      'http://localhost:8089',
      undefined,
      {
        upload: 'http://localhost:8089',
        public: 'http://localhost:8089',
        region: 'eu-central-1',
        pathStyle: true,
      },
    ],
  ])('the endpoint %s with the region %s is parsed', (endpoint, region, expected) => {
    expect(ossEndpoint({ bucket: 'audio', endpoint, region })).toEqual(expected)
  })

  it('an endpoint without a region asks for OSS_REGION on first use', async () => {
    for (const endpoint of [
      'oss-accelerate.aliyuncs.com',
      'oss-accelerate-overseas.aliyuncs.com',
      'a.example',
    ]) {
      const storage = track(
        ossStorage({ bucket: 'audio', endpoint, accessKeyId: 'id', accessKeySecret: 'secret' }),
      )
      const error = await failure(storage.upload(stream(noise(0.1)), uploadOfAnn, signal()))
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', hint: expect.stringContaining('OSS_REGION') })
    }
  })

  it('12 hours at the highest bit rate are fewer than 10,000 parts', () => {
    const bytes = (12 * 3600 * 1_411_000) / 8
    let sum = 0
    let parts = 0
    while (sum < bytes) sum += partBytes(++parts)
    expect(parts).toBeLessThan(10_000)
    expect(partBytes(1)).toBe(1024 * 1024)
  })
})
