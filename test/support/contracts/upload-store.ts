// Behaviour of every store of uploads.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { UploadRecord, UploadStore } from '../../../src/domain/network/uploads.ts'
import { bytesOf } from '../servers/upload-server.ts'

export interface UploadStoreCase {
  /** Two processes: for a shared store on two machines, else on one. */
  open(): Promise<[UploadStore, UploadStore]>
  scratch(): Promise<string>
}

const ticket = (id: string, owner = 'ann'): UploadRecord => ({
  ...{ id: id.padEnd(26, '0'), owner, secretHash: 'x', createdAt: 1, endsAt: 2, maxBytes: 9e9 },
})
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const line = new Error('The line broke.')

async function* stream(...all: (Buffer | Error)[]) {
  for (const one of all) {
    if (one instanceof Error) throw one
    for (let at = 0; at < one.length; at += 60_000) yield one.subarray(at, at + 60_000)
  }
}

export function describeUploadStore(name: string, { open, scratch }: UploadStoreCase): void {
  const run = { signal: new AbortController().signal, scratch }

  async function begin(bytes: number, id = 'a') {
    const [here, there] = await open()
    const record = { ...ticket(id), bytes }
    await here.save(ticket(id))
    await here.clear(record)
    await here.save(record)
    return { here, there, record }
  }

  describe(name, () => {
    it(`${name}: records are found by id and by owner, by other processes too, until they are removed`, async () => {
      const [here, there] = await open()
      const [a, b, c] = [ticket('a'), ticket('b', 'bob'), ticket('c')]
      for (const one of [a, b, c]) await here.save(one)
      await here.save({ ...a, bytes: 7, metadata: { filename: 'x', empty: null } })
      expect(await there.get(a.id)).toEqual({ ...a, bytes: 7, metadata: { filename: 'x', empty: null } })
      expect(await there.get(ticket('z').id)).toBeUndefined()
      const idsOf = async (owner?: string) => (await there.list(owner)).map(({ id }) => id).toSorted()
      expect([await idsOf(), await idsOf('ann'), await idsOf('bob'), await idsOf('an')]).toEqual([
        [a.id, b.id, c.id],
        [a.id, c.id],
        [b.id],
        [],
      ])
      await there.remove(a)
      await there.remove(a)
      expect([await here.get(a.id), await idsOf('ann')]).toEqual([undefined, [c.id]])
    })

    it(`${name}: bytes arrive in several requests to several processes, also after breaks, and make one file`, async () => {
      const file = bytesOf(5_000_123)
      const { here, there, record } = await begin(file.length)
      await expect(here.append(record, 0, stream(file.subarray(0, 2_500_001), line))).rejects.toThrow('broke')
      expect(await there.received(record)).toBe(2_500_001)
      await expect(
        there.append(record, 2_500_001, stream(file.subarray(2_500_001, 2_500_003), line)),
      ).rejects.toThrow()
      await expect(there.append(record, 2_500_003, stream(line))).rejects.toThrow('broke')
      expect(await here.received(record)).toBe(2_500_003)
      await here.append(record, 2_500_003, stream(file.subarray(2_500_003)))
      expect([await there.received(record), await there.seal(record)]).toEqual([file.length, sha256(file)])
      expect((await readFile(await there.open(record, run))).equals(file)).toBe(true)
    })

    it(`${name}: a connection that was thought to be broken may add the same bytes again`, async () => {
      const file = bytesOf(3_000_000)
      const { here, there, record } = await begin(file.length)
      await here.append(record, 0, stream(file.subarray(0, 2_600_000)))
      await there.append(record, 1_000_000, stream(file.subarray(1_000_000)))
      expect([await here.received(record), await here.seal(record)]).toEqual([file.length, sha256(file)])
      expect((await readFile(await here.open(record, run))).equals(file)).toBe(true)
    })

    it(`${name}: an upload that is cleared begins with nothing`, async () => {
      const { here, record } = await begin(10)
      await here.append(record, 0, stream(Buffer.from('0123456789')))
      await here.clear(record)
      expect(await here.received(record)).toBe(0)
      await here.append(record, 0, stream(Buffer.from('abcde'), Buffer.from('fghij')))
      expect(await here.seal(record)).toBe(sha256(Buffer.from('abcdefghij')))
    })
  })
}
