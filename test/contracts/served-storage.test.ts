// Recordings that the process itself serves to a server of the user's own.
import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { ObjectStorage } from '../../src/domain/ports.ts'
import { servedStorage } from '../../src/drivers/object-storage/served/served.ts'
import { failure, noise, signal, stream, uploadOfAnn } from '../support/contracts/object-storage.ts'
import { useResources } from '../support/contracts/oss.ts'

const { folder } = useResources()
const of = { ...uploadOfAnn, models: ['one', 'other'], scratch: async () => folder() }
let storage: ObjectStorage
const open = (host = '127.0.0.1') => {
  storage = servedStorage({ host })
  return storage
}
afterEach(() => storage.close())

const addresses = (upload: Awaited<ReturnType<ObjectStorage['upload']>>) =>
  Promise.all(of.models.map(model => storage.signedUrl(upload, model, 60, signal())))

describe('served recordings', () => {
  it('have one secret address a model, and are gone after they are deleted', async () => {
    const bytes = noise(0.3)
    const upload = await open().upload(stream(bytes), of, signal())
    const [one, other] = (await addresses(upload)) as [string, string]
    expect(new URL(one).pathname).not.toBe(new URL(other).pathname)
    for (const url of [one, other])
      expect(bytes.equals(Buffer.from(await (await fetch(url)).arrayBuffer()))).toBe(true)
    const head = await fetch(one, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe(String(bytes.length))
    await storage.delete(upload, signal())
    for (const url of [one, other, new URL('/', one)]) expect((await fetch(url)).status).toBe(404)
    expect(readdirSync(folder())).toEqual([])
  })

  it('of a job that uploads again leave no file', async () => {
    open()
    await storage.upload(stream(noise(0.01)), of, signal())
    await storage.delete(await storage.upload(stream(noise(0.01)), of, signal()), signal())
    expect(readdirSync(folder())).toEqual([])
  })

  it('of a process that has ended are served anew', async () => {
    const upload = await open().upload(stream(noise(0.01)), of, signal())
    await storage.close()
    expect(readdirSync(folder())).toEqual([])
    expect(await failure(open().signedUrl(upload, 'one', 60, signal()))).toMatchObject({
      code: 'UPLOAD_UNREACHABLE',
      retryable: true,
    })
  })

  it('that are aborted leave no file', async () => {
    const reason = new Error('stopped')
    await expect(open().upload(stream(noise(0.01)), of, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(readdirSync(folder())).toEqual([])
  })

  it.each(['8.8.8.8', 'no-such-interface', 'speech.example'])('are not served at %s', async host => {
    expect(await failure(open(host).upload(stream(noise(0.01)), of, signal()))).toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('SPEECH_FILE_HOST'),
    })
  })
})
