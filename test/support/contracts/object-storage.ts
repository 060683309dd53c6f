// What every driver of the `Blobs` port must do; a driver's test file runs it in one line.
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeError, SpeechError } from '../../../src/domain/errors.ts'
import type { ObjectStorage, Upload } from '../../../src/domain/ports.ts'

/** A place for recordings, empty at first. */
export interface BlobsPlace {
  open(): ObjectStorage
  /** Names of what lies there whole, and how many uploads are unfinished. */
  objects(): string[]
  unfinished(): number
  /** The folder of a job. */
  scratch(): Promise<string>
  read(key: string): Buffer | undefined
  /** How many requests have come that carry audio. */
  transfers(): number
  /** Makes the next so many requests that carry audio fail. */
  failTransfers(how: 'error' | 'drop' | 'refuse', times?: number): void
  /** Lets requests that carry audio hang; the answer ends that. */
  hang(): () => void
  /** What must not be in any error. */
  secrets: string[]
  close(): Promise<void>
}

export const models = ['fun-asr-mtl', 'qwen3-asr-flash-filetrans']
/** An upload that needs no room on the disk. */
export const anns = {
  owner: 'ann',
  job: 'tr_1',
  models,
  scratch: (): Promise<string> => Promise.reject(new Error('Nothing is written here.')),
}
export const signal = () => new AbortController().signal

/** So many megabytes that are like nothing else. */
export const noise = (megabytes: number) => randomBytes(Math.round(megabytes * 1024 * 1024))

/** Pieces of a stream, in the sizes that an encoder gives. */
export async function* stream(bytes: Buffer, piece = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece)
}

/** A stream that says when it has been read so far, and goes on when told, with an error if there is one. */
export function heldStream(bytes: Buffer) {
  const signs = new EventEmitter()
  const reached = once(signs, 'reached')
  const gate = once(signs, 'on')
  async function* held(): AsyncGenerator<Buffer> {
    yield* stream(bytes)
    signs.emit('reached')
    await gate
    yield* stream(bytes)
  }
  return {
    stream: held(),
    reached,
    goOn: () => signs.emit('on'),
    fail: (error: Error) => signs.emit('error', error),
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

export function blobsContract(name: string, createPlace: () => Promise<BlobsPlace>): void {
  describe(`${name} keeps the contract of a place for uploads:`, () => {
    let place: BlobsPlace
    let blobs: ObjectStorage
    let of: typeof anns

    beforeEach(async () => {
      place = await createPlace()
      blobs = place.open()
      of = { ...anns, scratch: place.scratch }
    })
    afterEach(async () => {
      await blobs.close()
      await place.close()
    })

    const stored = ({ keys }: Upload) => models.map(model => place.read(keys[model]!))

    async function expectNothingLeft(): Promise<void> {
      expect({ objects: place.objects(), unfinished: place.unfinished() }).toEqual({
        objects: [],
        unfinished: 0,
      })
    }

    it.each([
      ['a voice note', 0.5],
      ['one part to the byte', 1],
      ['two parts to the byte', 2],
      ['several parts', 5.3],
    ])('%s arrives as it was, for each model', async (_, size) => {
      const bytes = noise(size)
      const upload = await blobs.upload(stream(bytes), of, signal())
      expect(upload.way).toBe(blobs.way)
      for (const found of stored(upload)) expect(found?.equals(bytes)).toBe(true)
      expect(place.unfinished()).toBe(0)
    })

    it('a stream that comes in drops arrives as it was', async () => {
      const bytes = noise(1.2)
      async function* drops() {
        for await (const piece of stream(bytes, 100_001)) {
          await new Promise(setImmediate)
          yield piece
        }
      }
      const upload = await blobs.upload(drops(), of, signal())
      for (const found of stored(upload)) expect(found?.equals(bytes)).toBe(true)
    })

    it('a stream may use its memory again', async () => {
      const memory = Buffer.alloc(400_000)
      async function* reusing() {
        for (let round = 1; round <= 4; round++) yield memory.fill(round)
      }
      const upload = await blobs.upload(reusing(), of, signal())
      const expected = Buffer.concat([1, 2, 3, 4].map(round => Buffer.alloc(400_000, round)))
      for (const found of stored(upload)) expect(found?.equals(expected)).toBe(true)
    })

    it('another process can go on with an upload', async () => {
      const upload = JSON.parse(JSON.stringify(await blobs.upload(stream(noise(1)), of, signal()))) as Upload
      const other = place.open()
      for (const model of models)
        expect(await other.signedUrl(upload, model, 60, signal())).toContain(upload.keys[model])
      await other.delete(upload, signal())
      await other.close()
    })

    it.each(['error', 'drop'] as const)('a transfer that fails once (%s) is made again', async how => {
      place.failTransfers(how, 1)
      const bytes = noise(2.5)
      const upload = await blobs.upload(stream(bytes), of, signal())
      for (const found of stored(upload)) expect(found?.equals(bytes)).toBe(true)
    })

    it.each(['error', 'drop'] as const)('transfers that fail for good (%s) leave nothing', async how => {
      place.failTransfers(how)
      const error = await failure(blobs.upload(stream(noise(3)), of, signal()))
      expect(error).toMatchObject({ code: 'UPLOAD_FAILED', retryable: true })
      for (const secret of place.secrets) expect(describeError(error)).not.toContain(secret)
      await expectNothingLeft()
    })

    it('transfers that are refused leave nothing', async () => {
      place.failTransfers('refuse')
      const error = await failure(blobs.upload(stream(noise(3)), of, signal()))
      expect(['UPLOAD_FAILED', 'BUCKET_REFUSED']).toContain(error.code)
      for (const secret of place.secrets) expect(describeError(error)).not.toContain(secret)
      await expectNothingLeft()
    })

    it('a stream that fails is not taken for the whole, and its error comes through', async () => {
      const held = heldStream(noise(1.5))
      const put = blobs.upload(held.stream, of, signal())
      await held.reached
      const broken = new SpeechError('FFMPEG_FAILED', 'The encoder fell over.', { hint: 'Try again.' })
      held.fail(broken)
      await expect(put).rejects.toBe(broken)
      await expectNothingLeft()
    })

    it('a cancelled upload ends although its stream says nothing, and leaves nothing', async () => {
      const held = heldStream(noise(2.5))
      const controller = new AbortController()
      const put = blobs.upload(held.stream, of, controller.signal)
      await held.reached
      controller.abort(new Error('enough'))
      await expect(put).rejects.toThrow('enough')
      await expectNothingLeft()
    })

    it('a cancelled upload ends although nobody answers, and leaves nothing', async () => {
      const goOn = place.hang()
      const controller = new AbortController()
      const put = blobs.upload(stream(noise(4)), of, controller.signal)
      await until(() => place.transfers() > 0)
      controller.abort(new Error('enough'))
      await expect(put).rejects.toThrow('enough')
      goOn()
      await expectNothingLeft()
    })

    it('one that was cancelled before it began asks for nothing', async () => {
      await expect(
        blobs.upload(stream(noise(1)), of, AbortSignal.abort(new Error('enough'))),
      ).rejects.toThrow('enough')
      expect(place.transfers()).toBe(0)
      await expectNothingLeft()
    })

    it('of two uploads at once one is cancelled, and the other arrives', async () => {
      const held = heldStream(noise(2.5))
      const controller = new AbortController()
      const bytes = noise(4)
      const cancelled = blobs.upload(held.stream, { ...of, job: 'tr_2' }, controller.signal)
      await held.reached
      const arriving = blobs.upload(stream(bytes), of, signal())
      controller.abort(new Error('enough'))
      await expect(cancelled).rejects.toThrow('enough')
      for (const found of stored(await arriving)) expect(found?.equals(bytes)).toBe(true)
      expect(place.objects().length).toBe(new Set(Object.values((await arriving).keys)).size)
    })

    it('what is gone already can be removed', async () => {
      const upload = await blobs.upload(stream(noise(1)), of, signal())
      await blobs.delete(upload, signal())
      await blobs.delete(upload, signal())
    })
  })
}
