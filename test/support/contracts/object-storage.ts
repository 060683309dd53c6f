// Contract of the `ObjectStorage` port: every driver runs this suite in one line.
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeError, SpeechError } from '../../../src/domain/errors.ts'
import type { ObjectStorage, Upload } from '../../../src/domain/ports.ts'

/** An empty storage service. */
export interface StorageService {
  open(): ObjectStorage
  /** Keys of the stored objects, and the number of unfinished uploads. */
  objects(): string[]
  unfinished(): number
  /** The folder of a job. */
  scratch(): Promise<string>
  read(key: string): Buffer | undefined
  /** Number of received requests that carry audio. */
  transfers(): number
  /** Fails the next requests that carry audio. Default: all. */
  failTransfers(how: 'error' | 'drop' | 'refuse', times?: number): void
  /** Leaves requests that carry audio unanswered, until the returned function is called. */
  hang(): () => void
  /** Strings that no error may contain. */
  secrets: string[]
  close(): Promise<void>
}

export const models = ['fun-asr-mtl', 'qwen3-asr-flash-filetrans']
/** An upload that must not use the disk. */
export const uploadOfAnn = {
  owner: 'ann',
  job: 'tr_1',
  models,
  scratch: (): Promise<string> => Promise.reject(new Error('The disk must not be used.')),
}
export const signal = () => new AbortController().signal

/** Random bytes. */
export const noise = (megabytes: number) => randomBytes(Math.round(megabytes * 1024 * 1024))

/** A stream with chunks of the size of an encoder's. */
export async function* stream(bytes: Buffer, chunkBytes = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

/** A stream that pauses in the middle: `reached` resolves then; `resume` continues it and `fail` ends it. */
export function heldStream(bytes: Buffer) {
  const events = new EventEmitter()
  const reached = once(events, 'reached')
  const resumed = once(events, 'resume')
  async function* held(): AsyncGenerator<Buffer> {
    yield* stream(bytes)
    events.emit('reached')
    await resumed
    yield* stream(bytes)
  }
  return {
    stream: held(),
    reached,
    resume: () => events.emit('resume'),
    fail: (error: Error) => events.emit('error', error),
  }
}

export async function failure(work: Promise<unknown>): Promise<SpeechError> {
  const error = await work.then(
    () => undefined,
    error => error,
  )
  expect(error).toBeInstanceOf(SpeechError)
  return error as SpeechError
}

/** Resolves as soon as it holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 5))
}

export function objectStorageContract(name: string, createService: () => Promise<StorageService>): void {
  describe(`${name} fulfils the object storage contract:`, () => {
    let service: StorageService
    let storage: ObjectStorage
    let of: typeof uploadOfAnn

    beforeEach(async () => {
      service = await createService()
      storage = service.open()
      of = { ...uploadOfAnn, scratch: service.scratch }
    })
    afterEach(async () => {
      await storage.close()
      await service.close()
    })

    const stored = ({ keys }: Upload) => models.map(model => service.read(keys[model]!))

    async function expectNothingLeft(): Promise<void> {
      expect({ objects: service.objects(), unfinished: service.unfinished() }).toEqual({
        objects: [],
        unfinished: 0,
      })
    }

    it.each([
      ['a voice note', 0.5],
      ['one part to the byte', 1],
      ['two parts to the byte', 2],
      ['several parts', 5.3],
    ])('%s is stored unchanged for each model', async (_, size) => {
      const bytes = noise(size)
      const upload = await storage.upload(stream(bytes), of, signal())
      expect(upload.way).toBe(storage.way)
      for (const found of stored(upload)) expect(found?.equals(bytes)).toBe(true)
      expect(service.unfinished()).toBe(0)
    })

    it('a slow stream is stored unchanged', async () => {
      const bytes = noise(1.2)
      async function* slowly() {
        for await (const piece of stream(bytes, 100_001)) {
          await new Promise(setImmediate)
          yield piece
        }
      }
      const upload = await storage.upload(slowly(), of, signal())
      for (const found of stored(upload)) expect(found?.equals(bytes)).toBe(true)
    })

    it('a stream may reuse its buffer', async () => {
      const buffer = Buffer.alloc(400_000)
      async function* reusing() {
        for (let round = 1; round <= 4; round++) yield buffer.fill(round)
      }
      const upload = await storage.upload(reusing(), of, signal())
      const expected = Buffer.concat([1, 2, 3, 4].map(round => Buffer.alloc(400_000, round)))
      for (const found of stored(upload)) expect(found?.equals(expected)).toBe(true)
    })

    it('another process can continue with an upload', async () => {
      const upload = JSON.parse(
        JSON.stringify(await storage.upload(stream(noise(1)), of, signal())),
      ) as Upload
      const other = service.open()
      for (const model of models)
        expect(await other.signedUrl(upload, model, 60, signal())).toContain(upload.keys[model])
      await other.delete(upload, signal())
      await other.close()
    })

    it.each(['error', 'drop'] as const)('a transfer that fails once (%s) is retried', async how => {
      service.failTransfers(how, 1)
      const bytes = noise(2.5)
      const upload = await storage.upload(stream(bytes), of, signal())
      for (const found of stored(upload)) expect(found?.equals(bytes)).toBe(true)
    })

    it.each(['error', 'drop'] as const)('transfers that always fail (%s) leave nothing', async how => {
      service.failTransfers(how)
      const error = await failure(storage.upload(stream(noise(3)), of, signal()))
      expect(error).toMatchObject({ code: 'UPLOAD_FAILED', retryable: true })
      for (const secret of service.secrets) expect(describeError(error)).not.toContain(secret)
      await expectNothingLeft()
    })

    it('refused transfers leave nothing', async () => {
      service.failTransfers('refuse')
      const error = await failure(storage.upload(stream(noise(3)), of, signal()))
      expect(['UPLOAD_FAILED', 'BUCKET_REFUSED']).toContain(error.code)
      for (const secret of service.secrets) expect(describeError(error)).not.toContain(secret)
      await expectNothingLeft()
    })

    it('a failing stream stores nothing and passes on its error', async () => {
      const held = heldStream(noise(1.5))
      const upload = storage.upload(held.stream, of, signal())
      await held.reached
      const broken = new SpeechError('FFMPEG_FAILED', 'The encoder failed.', { hint: 'Try again.' })
      held.fail(broken)
      await expect(upload).rejects.toBe(broken)
      await expectNothingLeft()
    })

    it('a cancelled upload ends during a silent stream and leaves nothing', async () => {
      const held = heldStream(noise(2.5))
      const controller = new AbortController()
      const upload = storage.upload(held.stream, of, controller.signal)
      await held.reached
      controller.abort(new Error('enough'))
      await expect(upload).rejects.toThrow('enough')
      await expectNothingLeft()
    })

    it('a cancelled upload ends without a response and leaves nothing', async () => {
      const resume = service.hang()
      const controller = new AbortController()
      const upload = storage.upload(stream(noise(4)), of, controller.signal)
      await until(() => service.transfers() > 0)
      controller.abort(new Error('enough'))
      await expect(upload).rejects.toThrow('enough')
      resume()
      await expectNothingLeft()
    })

    it('an upload that is cancelled before its start makes no request', async () => {
      await expect(
        storage.upload(stream(noise(1)), of, AbortSignal.abort(new Error('enough'))),
      ).rejects.toThrow('enough')
      expect(service.transfers()).toBe(0)
      await expectNothingLeft()
    })

    it('cancelling one of two uploads does not affect the other', async () => {
      const held = heldStream(noise(2.5))
      const controller = new AbortController()
      const bytes = noise(4)
      const cancelled = storage.upload(held.stream, { ...of, job: 'tr_2' }, controller.signal)
      await held.reached
      const arriving = storage.upload(stream(bytes), of, signal())
      controller.abort(new Error('enough'))
      await expect(cancelled).rejects.toThrow('enough')
      for (const found of stored(await arriving)) expect(found?.equals(bytes)).toBe(true)
      expect(service.objects().length).toBe(new Set(Object.values((await arriving).keys)).size)
    })

    it('an upload can be deleted twice', async () => {
      const upload = await storage.upload(stream(noise(1)), of, signal())
      await storage.delete(upload, signal())
      await storage.delete(upload, signal())
    })
  })
}
