// Uploads to DashScope's temporary store: the contract of object storage, policies, and the buffer on disk.
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { startDashscope } from '../../emulators/dashscope/dashscope.ts'
import { type OssEmulator, startOss } from '../../emulators/oss/oss.ts'
import { describeError, SpeechError } from '../../src/domain/errors.ts'
import { dashscope } from '../../src/drivers/http/dashscope.ts'
import { createHttpClient } from '../../src/drivers/http/http.ts'
import { temporaryStorage } from '../../src/drivers/object-storage/dashscope-temporary/temporary.ts'
import {
  failure,
  heldStream,
  models,
  noise,
  objectStorageContract,
  signal,
  stream,
  uploadOfAnn,
} from '../support/contracts/object-storage.ts'
import { dashscopeWith, faultControls, firstDelaySeconds, useResources } from '../support/contracts/oss.ts'

const { folder, track } = useResources()

objectStorageContract('temporary storage', async () => {
  const emulator = await startDashscope({ ffmpeg: 'not used', oss: true })
  const oss = emulator.oss!
  const http = createHttpClient({ connections: 4 })
  const cloud = dashscope({ apiKey: emulator.apiKey, baseUrl: emulator.url, http })
  return {
    open: () => temporaryStorage({ cloud, firstDelaySeconds }),
    objects: () => oss.temporary.objects().map(({ key }) => key),
    // The driver buffers uploads in files.
    unfinished: () => readdirSync(folder()).length,
    scratch: async () => folder(),
    read: oss.temporary.read,
    secrets: [emulator.apiKey, oss.endpoint, 'dashscope-instant', 'Busy', 'AccessDenied'],
    ...faultControls(oss),
    async close() {
      await http.close()
      await emulator.close()
    },
  }
})

describe('uploads to the temporary store', () => {
  let oss: OssEmulator
  const buffered = { ...uploadOfAnn, scratch: async () => folder() }
  const open = (policy?: (model: string) => object) =>
    track(temporaryStorage({ cloud: dashscopeWith(oss, policy), firstDelaySeconds }))

  beforeEach(async () => {
    oss = track(await startOss())
  })

  it('a recording is uploaded once per model, under a key that reveals nothing', async () => {
    const { keys } = await open().upload(
      stream(noise(0.5)),
      { ...buffered, owner: 'ann@example.com' },
      signal(),
    )
    for (const model of models) expect(oss.temporary.modelOf(keys[model]!)).toBe(model)
    expect(Object.values(keys).join()).not.toMatch(/ann|tr_1/)
    expect(oss.requests.length).toBe(2)
  })

  it('an upload with an expired policy requests a new one', async () => {
    let issued = 0
    const storage = open(model =>
      oss.temporary.issuePolicy({ model, ...(issued++ < models.length && { expiresIn: 0 }) }),
    )
    const bytes = noise(0.5)
    const { keys } = await storage.upload(stream(bytes), buffered, signal())
    for (const model of models) expect(oss.temporary.read(keys[model]!)?.equals(bytes)).toBe(true)
    expect(issued).toBe(4)
  })

  it('an upload that is refused with a new policy fails', async () => {
    const storage = open(model => oss.temporary.issuePolicy({ model, expiresIn: 0 }))
    const error = await failure(storage.upload(stream(noise(0.1)), { ...buffered, models: ['m'] }, signal()))
    expect(error).toMatchObject({ code: 'UPLOAD_FAILED', retryable: false })
    expect(oss.requests.length).toBe(2)
  })

  it('an upload beyond the size limit sends nothing', async () => {
    const storage = open(model => oss.temporary.issuePolicy({ model, maxMegabytes: 1 }))
    const error = await failure(storage.upload(stream(noise(1.1)), buffered, signal()))
    expect(error).toMatchObject({ code: 'TOO_LARGE', hint: expect.stringContaining('OSS_BUCKET') })
    expect(oss.requests).toEqual([])
  })

  it.each([
    'http://dashscope-file-mgr.oss-cn-beijing.aliyuncs.com',
    'https://dashscope-file-mgr.oss-cn-beijing.aliyuncs.com.example',
    'https://oss-cn-beijing.aliyuncs.com@evil.example',
    'https://user:word@a.oss-cn-beijing.aliyuncs.com',
    'https://evil.example/a.oss-cn-beijing.aliyuncs.com',
    'http://10.0.0.1:8080',
    'no address',
  ])('an upload refuses the host %s', async host => {
    const storage = open(model => ({ ...oss.temporary.issuePolicy({ model }), upload_host: host }))
    const error = await failure(storage.upload(stream(noise(0.1)), buffered, signal()))
    expect(error).toMatchObject({ code: 'UPLOAD_FAILED', retryable: false })
    expect(describeError(error)).not.toContain(host)
  })

  it('an upload refuses a local host unless DashScope itself is local', async () => {
    const cloud = { ...dashscopeWith(oss), baseUrl: 'https://dashscope-intl.aliyuncs.com/api/v1' }
    const storage = track(temporaryStorage({ cloud, firstDelaySeconds }))
    expect(await failure(storage.upload(stream(noise(0.1)), buffered, signal()))).toMatchObject({
      code: 'UPLOAD_FAILED',
    })
    expect(oss.requests).toEqual([])
  })

  it('an upload passes on the error about a refused key', async () => {
    const refused = new SpeechError('KEY_REFUSED', 'Refused.', { hint: 'Check it.', scope: 'account' })
    const storage = open(() => {
      throw refused
    })
    await expect(storage.upload(stream(noise(0.1)), buffered, signal())).rejects.toBe(refused)
  })

  it('an upload retries a failing request for a policy', async () => {
    let asked = 0
    const storage = open(model => {
      if (asked++ < 2)
        throw new SpeechError('PROVIDER_FAILED', 'Not now.', { hint: 'Later.', retryable: true })
      return oss.temporary.issuePolicy({ model })
    })
    await storage.upload(stream(noise(0.1)), buffered, signal())
    expect(oss.temporary.objects().length).toBe(2)
  })

  it('an upload is buffered in the folder of its job only', async () => {
    const elsewhere = join(folder(), 'elsewhere')
    const scratch = join(folder(), 'scratch')
    for (const folder of [elsewhere, scratch]) mkdirSync(folder)
    vi.stubEnv('TMPDIR', elsewhere)
    const held = heldStream(noise(0.5))
    const upload = open().upload(held.stream, { ...uploadOfAnn, scratch: async () => scratch }, signal())
    await held.reached
    expect([readdirSync(scratch).length, readdirSync(elsewhere).length]).toEqual([1, 0])
    held.resume()
    await upload
    expect(readdirSync(scratch)).toEqual([])
  })

  it('an upload with an unwritable folder names the setting', async () => {
    const nowhere = { ...uploadOfAnn, scratch: async () => join(folder(), 'nowhere') }
    const error = await failure(open().upload(stream(noise(0.1)), nowhere, signal()))
    expect(error).toMatchObject({ code: 'UPLOAD_FAILED', hint: expect.stringContaining('SPEECH_DATA_DIR') })
    expect(describeError(error)).not.toContain(folder())
  })

  it('an upload passes on the error of a folder that cannot be created', async () => {
    const full = new SpeechError('DISK_FULL', 'Full.', { hint: 'Free some space.' })
    const nowhere = { ...uploadOfAnn, scratch: () => Promise.reject(full) }
    await expect(open().upload(stream(noise(0.1)), nowhere, signal())).rejects.toBe(full)
    expect(oss.requests).toEqual([])
  })
})
