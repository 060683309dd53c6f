// Reading files in blocks: every byte in order, and no file is left open.
import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fileBlocks } from '../../../src/system/file-blocks.ts'
import { type TempFolder, tempFolder } from '../../support/e2e/system.ts'

let folder: TempFolder
beforeAll(async () => {
  folder = await tempFolder()
})
afterAll(() => folder.remove())

const signal = new AbortController().signal

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const block of fileBlocks(path, signal)) hash.update(block)
  return hash.digest('hex')
}

describe('fileBlocks', () => {
  it.each([0, 1, 262_143, 262_144, 262_145, 1_000_000])('yields all of %i bytes in order', async length => {
    const path = join(folder.path, `of-${length}`)
    const bytes = randomBytes(length)
    await writeFile(path, bytes)
    expect(await hashOf(path)).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  it('a missing file is an error of the operating system', async () => {
    await expect(hashOf(join(folder.path, 'missing'))).rejects.toThrow('ENOENT')
  })

  it('ends with the reason of its signal', async () => {
    const path = join(folder.path, 'stopped')
    await writeFile(path, randomBytes(1_000_000))
    const stop = new AbortController()
    const blocks = fileBlocks(path, stop.signal)
    await blocks.next()
    stop.abort(new Error('enough'))
    await expect(blocks.next()).rejects.toThrow('enough')
    expect(await blocks.next()).toEqual({ done: true, value: undefined })
  })

  it('may be left before its end', async () => {
    const path = join(folder.path, 'left')
    await writeFile(path, randomBytes(1_000_000))
    const blocks = fileBlocks(path, signal)
    expect((await blocks.next()).value).toHaveLength(262_144)
    expect(await blocks.return(undefined)).toEqual({ done: true, value: undefined })
  })
})
